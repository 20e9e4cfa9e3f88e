package io.txn.coordinator.app.admin;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.LockQuery;
import io.txn.coordinator.OperatorCommand;
import io.txn.coordinator.OperatorResult;
import io.txn.coordinator.TransactionQuery;
import io.txn.coordinator.machine.TransactionState;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
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
@RequestMapping(path = "/api/v1", produces = MediaType.APPLICATION_JSON_VALUE)
final class AdminController {

    private static final int DEFAULT_LIMIT = 100;
    private static final int LONGEST_TEXT = 256;
    private static final int LONGEST_BODY = 16 << 10;

    private final Coordinator coordinator;
    private final Executor executor;
    private final ObjectReader giveUpBody;

    /** @param executor makes the answers, because the coordinator's futures complete on the thread that decides transactions */
    AdminController(Coordinator coordinator, JsonMapper mapper, Executor executor) {
        this.coordinator = coordinator;
        this.executor = executor;
        this.giveUpBody = mapper.readerFor(GiveUpBody.class)
                .with(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    }

    record GiveUpBody(@Nullable String reason) {}

    @GetMapping("/transactions")
    CompletableFuture<Views.Transactions> transactions(@RequestParam MultiValueMap<String, String> query) {
        Parameters parameters = new Parameters(query, "state", "application", "q", "limit", "after");
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
        new Parameters(query);
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
        Parameters parameters = new Parameters(query, "resource", "limit", "after");
        return coordinator
                .locks(new LockQuery(
                        parameters.text("resource"),
                        parameters.number("limit", DEFAULT_LIMIT, LockQuery.MAX_LIMIT),
                        parameters.text("after")))
                .thenApplyAsync(Views.Locks::of, executor);
    }

    @PostMapping("/transactions/{xid}/retry")
    CompletableFuture<Views.Done> retry(
            @PathVariable("xid") String xid, @RequestParam MultiValueMap<String, String> query) {
        new Parameters(query);
        Xid id = xid(xid);
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
        new Parameters(query);
        Xid id = xid(xid);
        BranchId branch = branchId(branchId);
        return operate(
                new OperatorCommand.GiveUp(id, branch, reason(request)),
                new TxnException(ErrorCode.BRANCH_NOT_FOUND, null, "xid", id, "branchId", branch));
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

    private String reason(HttpServletRequest request) throws IOException {
        byte[] bytes = request.getInputStream().readNBytes(LONGEST_BODY + 1);
        if (bytes.length > LONGEST_BODY) {
            throw bad("body", "it is longer than " + LONGEST_BODY + " bytes");
        }
        GiveUpBody body;
        try {
            body = giveUpBody.readValue(bytes);
        } catch (JacksonException e) {
            throw bad("body", "it must be {\"reason\":\"...\"}: " + e.getOriginalMessage());
        }
        String reason = body == null ? null : body.reason();
        if (reason == null || reason.isBlank() || reason.length() > OperatorCommand.GiveUp.MAX_REASON_LENGTH) {
            throw bad(
                    "reason",
                    "it has 1 to " + OperatorCommand.GiveUp.MAX_REASON_LENGTH + " characters and is not blank");
        }
        return reason;
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
        if (text == null) {
            return null;
        }
        return Arrays.stream(TransactionState.values())
                .filter(state -> state.name().equals(text))
                .findFirst()
                .orElseThrow(() -> bad("state", "it is one of " + Arrays.toString(TransactionState.values())));
    }

    private static TxnException bad(String field, @Nullable String reason) {
        return new TxnException(ErrorCode.BAD_REQUEST, null, "field", field, "reason", reason);
    }

    /** The query string, of which every part must be known, single and short. */
    private record Parameters(MultiValueMap<String, String> values) {

        Parameters(MultiValueMap<String, String> values, String... known) {
            this(values);
            values.forEach((name, given) -> {
                if (!List.of(known).contains(name)) {
                    throw bad(shortened(name), "there is no such parameter; known are " + List.of(known));
                }
                if (given.size() > 1) {
                    throw bad(name, "it is given more than once");
                }
            });
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
