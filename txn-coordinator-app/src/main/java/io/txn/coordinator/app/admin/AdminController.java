package io.txn.coordinator.app.admin;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.LockQuery;
import io.txn.coordinator.LockWaitQuery;
import io.txn.coordinator.OperatorCommand;
import io.txn.coordinator.OperatorResult;
import io.txn.coordinator.TransactionQuery;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import io.txn.protocol.saga.SagaPlan;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.MediaType;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lists, shows and operates. Each answer comes when the coordinator's future completes; no thread waits for it. A parameter that is not known is an
 * error: a misspelt filter would list everything.
 */
@RestController
@RequestMapping(path = AdminController.ROOT, produces = MediaType.APPLICATION_JSON_VALUE)
final class AdminController {

    static final String ROOT = "/api/v1";
    static final String SAGA_STEPS = ROOT + "/saga-steps";

    private static final Logger LOG = LoggerFactory.getLogger(AdminController.class);
    private static final int DEFAULT_LIMIT = 100;
    private static final int LONGEST_TEXT = 256;
    private static final int LONGEST_REASON = OperatorCommand.MAX_REASON_LENGTH - 200;
    private static final int LONGEST_BODY = 16 << 10;
    private static final int LONGEST_DECISION = 256 << 10;

    /** With address and words around it, within what a reason leaves of {@link OperatorCommand#MAX_REASON_LENGTH}. */
    private static final int LONGEST_OPERATOR = 80;

    private static final String CERTIFICATES = "jakarta.servlet.request.X509Certificate";

    private final Coordinator coordinator;
    private final Executor executor;
    private final ObjectReader giveUpBody;
    private final ObjectReader forceBody;
    private final ObjectReader failBody;
    private final ObjectReader decisionBody;

    /** @param executor makes the answers, because the coordinator's futures complete on the thread that decides transactions */
    AdminController(Coordinator coordinator, JsonMapper mapper, Executor executor) {
        this.coordinator = coordinator;
        this.executor = executor;
        this.giveUpBody = strict(mapper.readerFor(GiveUpBody.class));
        this.forceBody = strict(mapper.readerFor(ForceBody.class));
        this.failBody = strict(mapper.readerFor(FailBody.class));
        this.decisionBody = strict(mapper.readerFor(DecisionBody.class));
    }

    private static ObjectReader strict(ObjectReader reader) {
        return reader.with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    record GiveUpBody(@Nullable String reason) {}

    record ForceBody(@Nullable String status, @Nullable String reason) {}

    record FailBody(@Nullable String cause) {}

    record DecisionBody(
            @Nullable String reason,
            @Nullable String report,
            @Nullable List<DecisionRow> rows,
            @Nullable String rest) {}

    record DecisionRow(
            @Nullable String table,
            @Nullable String key,
            @Nullable String action,
            @Nullable Map<String, String> columns) {}

    @GetMapping("/transactions")
    CompletableFuture<Views.Transactions> transactions(@RequestParam MultiValueMap<String, String> query) {
        Parameters parameters = Parameters.checked(query, "state", "application", "q", "limit", "after");
        return coordinator
                .transactions(new TransactionQuery(
                        state(parameters.text("state")),
                        parameters.text("application"),
                        parameters.text("q"),
                        parameters.number("limit", DEFAULT_LIMIT, TransactionQuery.MAX_LIMIT),
                        parameters.text("after")))
                .thenApplyAsync(Views.Transactions::of, executor);
    }

    @GetMapping("/transactions/{xid}")
    CompletableFuture<Views.Detail> transaction(
            @PathVariable("xid") String xid, @RequestParam MultiValueMap<String, String> query) {
        Parameters.checked(query);
        Xid id = xid(xid);
        return coordinator
                .transaction(id)
                .thenApplyAsync(
                        found -> Views.Detail.of(found.orElseThrow(
                                () -> new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", id))),
                        executor);
    }

    @GetMapping("/locks")
    CompletableFuture<Views.Locks> locks(@RequestParam MultiValueMap<String, String> query) {
        Parameters parameters = Parameters.checked(query, "resource", "limit", "after");
        return coordinator
                .locks(new LockQuery(
                        parameters.text("resource"),
                        parameters.number("limit", DEFAULT_LIMIT, LockQuery.MAX_LIMIT),
                        parameters.text("after")))
                .thenApplyAsync(Views.Locks::of, executor);
    }

    @GetMapping("/locks/waits")
    CompletableFuture<Views.LockWaits> lockWaits(@RequestParam MultiValueMap<String, String> query) {
        Parameters parameters = Parameters.checked(query, "resource", "row", "xid", "limit", "after");
        String xid = parameters.text("xid");
        return coordinator
                .lockWaits(new LockWaitQuery(
                        parameters.text("resource"),
                        parameters.text("row"),
                        xid == null ? null : xid(xid),
                        parameters.number("limit", DEFAULT_LIMIT, LockWaitQuery.MAX_LIMIT),
                        parameters.text("after")))
                .thenApplyAsync(Views.LockWaits::of, executor);
    }

    @PostMapping("/transactions/{xid}/retry")
    CompletableFuture<Views.Done> retry(
            @PathVariable("xid") String xid,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request) {
        Parameters.checked(query);
        Xid id = xid(xid);
        // It carries no reason that could name who wanted it.
        LOG.info("a retry is asked for xid={} by={}", id, operator(request));
        return operate(
                new OperatorCommand.RetryNow(id), new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", id));
    }

    @PostMapping(path = "/transactions/{xid}/branches/{branchId}/give-up", consumes = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<Views.Done> giveUp(
            @PathVariable("xid") String xid,
            @PathVariable("branchId") String branchId,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request)
            throws IOException {
        Parameters.checked(query);
        Xid id = xid(xid);
        BranchId branch = branchId(branchId);
        GiveUpBody body = body(request, giveUpBody, "{\"reason\":\"...\"}");
        return operate(
                new OperatorCommand.GiveUp(id, branch, reason(body.reason(), request)),
                new TxnException(ErrorCode.BRANCH_NOT_FOUND, null, "xid", id, "branchId", branch));
    }

    /** Says what becomes of the rows that are in the way of a branch's undo. */
    @PostMapping(path = "/transactions/{xid}/branches/{branchId}/decision", consumes = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<Views.Done> decide(
            @PathVariable("xid") String xid,
            @PathVariable("branchId") String branchId,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request)
            throws IOException {
        Parameters.checked(query);
        Xid id = xid(xid);
        BranchId branch = branchId(branchId);
        DecisionBody body = body(
                request,
                decisionBody,
                LONGEST_DECISION,
                "{\"reason\":\"...\",\"report\":\"...\",\"rows\":[{\"table\":\"...\",\"key\":\"...\",\"action\":\"keep\"}],\"rest\":\"restore\"}");
        return operate(
                new OperatorCommand.Decide(id, branch, decision(body), reason(body.reason(), request)),
                new TxnException(ErrorCode.BRANCH_NOT_FOUND, null, "xid", id, "branchId", branch));
    }

    private static UndoDecision decision(DecisionBody body) {
        String report = body.report();
        if (report == null || !report.matches("[0-9a-f]{16}")) {
            throw bad("report", "it is the \"report\" that the branch's \"rowsInTheWay\" show, 16 hexadecimal digits");
        }
        List<DecisionRow> given = body.rows() == null ? List.of() : body.rows();
        if (given.size() > UndoReport.MOST_ROWS) {
            throw bad("rows", "no more than " + UndoReport.MOST_ROWS + " rows are named");
        }
        List<UndoDecision.Row> rows = new ArrayList<>();
        for (DecisionRow row : given) {
            if (row == null || row.table() == null || row.key() == null || row.action() == null) {
                throw bad("rows", "each has \"table\", \"key\" and \"action\"");
            }
            Map<String, UndoDecision.Action> columns = new HashMap<>();
            if (row.columns() != null) {
                row.columns().forEach((name, action) -> columns.put(name, action("columns", action)));
            }
            rows.add(new UndoDecision.Row(row.table(), row.key(), action("action", row.action()), columns));
        }
        return new UndoDecision(report, rows, body.rest() == null ? null : action("rest", body.rest()));
    }

    private static UndoDecision.Action action(String field, @Nullable String text) {
        if ("keep".equals(text)) {
            return UndoDecision.Action.KEEP;
        } else if ("restore".equals(text)) {
            return UndoDecision.Action.RESTORE;
        }
        throw bad(field, "it is \"keep\" or \"restore\"");
    }

    @PostMapping(path = "/transactions/{xid}/force", consumes = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<Views.Done> force(
            @PathVariable("xid") String xid,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request)
            throws IOException {
        Parameters.checked(query);
        Xid id = xid(xid);
        ForceBody body = body(request, forceBody, "{\"status\":\"...\",\"reason\":\"...\"}");
        OperatorCommand.Force.Status status = constant("status", body.status(), OperatorCommand.Force.Status.values());
        if (status == null) {
            throw bad("status", "it is one of " + Arrays.toString(OperatorCommand.Force.Status.values()));
        }
        return operate(
                new OperatorCommand.Force(id, status, reason(body.reason(), request)),
                new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", id));
    }

    /** The body is the result as JSON, kept as it came; an empty one is none. The path ends in the correlation id, whose parts have a slash between. */
    @PostMapping(path = "/saga-steps/{xid}/{branchId}/complete", consumes = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<Views.Done> completeStep(
            @PathVariable("xid") String xid,
            @PathVariable("branchId") String branchId,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request)
            throws IOException {
        Parameters.checked(query);
        String result = utf8(bytes(request, SagaPlan.LONGEST_RESULT)).strip();
        return coordinator
                .completeStep(stepXid(xid, branchId), stepBranch(xid, branchId), result.isEmpty() ? null : result)
                .thenApplyAsync(done -> new Views.Done(true), executor);
    }

    @PostMapping(path = "/saga-steps/{xid}/{branchId}/fail", consumes = MediaType.APPLICATION_JSON_VALUE)
    CompletableFuture<Views.Done> failStep(
            @PathVariable("xid") String xid,
            @PathVariable("branchId") String branchId,
            @RequestParam MultiValueMap<String, String> query,
            HttpServletRequest request)
            throws IOException {
        Parameters.checked(query);
        FailBody body = body(request, failBody, "{\"cause\":\"...\"}");
        String cause = body.cause();
        if (cause == null || cause.isBlank()) {
            throw bad("cause", "it is not blank");
        }
        return coordinator
                .failStep(stepXid(xid, branchId), stepBranch(xid, branchId), cause)
                .thenApplyAsync(done -> new Views.Done(true), executor);
    }

    private static Xid stepXid(String xid, String branchId) {
        try {
            return new Xid(xid);
        } catch (IllegalArgumentException e) {
            throw noStep(xid, branchId);
        }
    }

    private static BranchId stepBranch(String xid, String branchId) {
        try {
            return new BranchId(Long.parseLong(branchId));
        } catch (IllegalArgumentException e) {
            throw noStep(xid, branchId);
        }
    }

    private static TxnException noStep(String xid, String branchId) {
        return new TxnException(ErrorCode.SAGA_CORRELATION_UNKNOWN, null, "correlationId", xid + '/' + branchId);
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw bad("body", "it is no UTF-8");
        }
    }

    private CompletableFuture<Views.Done> operate(OperatorCommand command, TxnException notFound) {
        return coordinator.operate(command).thenApplyAsync(result -> done(command, result, notFound), executor);
    }

    private static Views.Done done(OperatorCommand command, OperatorResult result, TxnException notFound) {
        if (result instanceof OperatorResult.Accepted) {
            return new Views.Done(true);
        }
        if (result instanceof OperatorResult.NotFound) {
            throw notFound;
        }
        if (result instanceof OperatorResult.Refused refused) {
            throw new TxnException(ErrorCode.OPERATION_REFUSED, null, "xid", command.xid(), "reason", refused.why());
        }
        throw new AssertionError(result);
    }

    private static <T> T body(HttpServletRequest request, ObjectReader reader, String form) throws IOException {
        return body(request, reader, LONGEST_BODY, form);
    }

    private static <T> T body(HttpServletRequest request, ObjectReader reader, int longest, String form)
            throws IOException {
        byte[] bytes = bytes(request, longest);
        try {
            @Nullable T body = reader.readValue(bytes);
            if (body != null) {
                return body;
            }
        } catch (JacksonException e) {
            throw bad("body", "it must be " + form + ": " + e.getOriginalMessage());
        }
        throw bad("body", "it must be " + form);
    }

    private static byte[] bytes(HttpServletRequest request, int longest) throws IOException {
        byte[] bytes = request.getInputStream().readNBytes(longest + 1);
        if (bytes.length > longest) {
            throw bad("body", "it is longer than " + longest + " bytes");
        }
        return bytes;
    }

    /** With whoever gave it: it is kept with what was done. */
    private static String reason(@Nullable String reason, HttpServletRequest request) {
        if (reason == null || reason.isBlank() || reason.length() > LONGEST_REASON) {
            throw bad("reason", "it has 1 to " + LONGEST_REASON + " characters and is not blank");
        }
        return operator(request) + ": " + reason;
    }

    /** The token has no name; a certificate, where one was shown over mutual TLS, has. */
    private static String operator(HttpServletRequest request) {
        boolean shown = request.getAttribute(CERTIFICATES) instanceof X509Certificate[] chain && chain.length > 0;
        if (!shown) {
            return "admin at " + request.getRemoteAddr();
        }
        X509Certificate own = ((X509Certificate[]) request.getAttribute(CERTIFICATES))[0];
        // Whoever asked for the certificate chose the name: it may hold anything.
        String name = LogText.oneLine(own.getSubjectX500Principal().getName());
        return "admin " + name.substring(0, Math.min(LONGEST_OPERATOR, name.length())) + " at "
                + request.getRemoteAddr();
    }

    private static Xid xid(String text) {
        try {
            return new Xid(text);
        } catch (IllegalArgumentException e) {
            throw bad("xid", e.getMessage());
        }
    }

    private static BranchId branchId(String text) {
        try {
            return new BranchId(Long.parseLong(text));
        } catch (IllegalArgumentException e) {
            throw bad("branchId", "it is a positive number");
        }
    }

    private static @Nullable TransactionState state(@Nullable String text) {
        return constant("state", text, TransactionState.values());
    }

    private static <E extends Enum<E>> @Nullable E constant(String field, @Nullable String text, E[] values) {
        if (text == null) {
            return null;
        }
        return Arrays.stream(values)
                .filter(value -> value.name().equals(text))
                .findFirst()
                .orElseThrow(() -> bad(field, "it is one of " + Arrays.toString(values)));
    }

    private static TxnException bad(String field, @Nullable String reason) {
        return new TxnException(ErrorCode.BAD_REQUEST, null, "field", field, "reason", reason);
    }

    /** The query string, of which every part must be known, single and short. */
    private record Parameters(MultiValueMap<String, String> values) {

        /** Not a constructor: without any that is known, the record's own would be taken for it. */
        static Parameters checked(MultiValueMap<String, String> values, String... known) {
            values.forEach((name, given) -> {
                if (!List.of(known).contains(name)) {
                    throw bad(shortened(name), "there is no such parameter; known are " + List.of(known));
                }
                if (given.size() > 1) {
                    throw bad(name, "it is given more than once");
                }
            });
            return new Parameters(values);
        }

        private static String shortened(String name) {
            return name.length() <= 40 ? name : name.substring(0, 40) + "…";
        }

        @Nullable
        String text(String name) {
            String value = values.getFirst(name);
            if (value == null || value.isEmpty()) {
                return null;
            }
            if (value.length() > LONGEST_TEXT) {
                throw bad(name, "it is longer than " + LONGEST_TEXT + " characters");
            }
            return value;
        }

        int number(String name, int otherwise, int most) {
            String value = text(name);
            if (value == null) {
                return otherwise;
            }
            try {
                int number = Integer.parseInt(value);
                if (number >= 1 && number <= most) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // told below, like a number out of range
            }
            throw bad(name, "it is a number from 1 to " + most);
        }
    }
}
