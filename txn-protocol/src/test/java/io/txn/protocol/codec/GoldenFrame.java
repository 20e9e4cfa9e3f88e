package io.txn.protocol.codec;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.txn.protocol.BranchType;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A frame that a Seata library wrote, with the values it wrote and what the library read back. */
record GoldenFrame(int line, JsonNode json) {

    /** The library's constants in the order of their wire values, spelled out so that the order of ours is proven too. */
    private static final Map<Class<?>, List<String>> NAMES = Map.of(
            GlobalStatus.class,
            List.of(
                    "UnKnown",
                    "Begin",
                    "Committing",
                    "CommitRetrying",
                    "Rollbacking",
                    "RollbackRetrying",
                    "TimeoutRollbacking",
                    "TimeoutRollbackRetrying",
                    "AsyncCommitting",
                    "Committed",
                    "CommitFailed",
                    "Rollbacked",
                    "RollbackFailed",
                    "TimeoutRollbacked",
                    "TimeoutRollbackFailed",
                    "Finished",
                    "CommitRetryTimeout",
                    "RollbackRetryTimeout",
                    "Deleting",
                    "StopCommitOrCommitRetry",
                    "StopRollbackOrRollbackRetry"),
            BranchStatus.class,
            List.of(
                    "Unknown",
                    "Registered",
                    "PhaseOne_Done",
                    "PhaseOne_Failed",
                    "PhaseOne_Timeout",
                    "PhaseTwo_Committed",
                    "PhaseTwo_CommitFailed_Retryable",
                    "PhaseTwo_CommitFailed_Unretryable",
                    "PhaseTwo_Rollbacked",
                    "PhaseTwo_RollbackFailed_Retryable",
                    "PhaseTwo_RollbackFailed_Unretryable",
                    "PhaseTwo_CommitFailed_XAER_NOTA_Retryable",
                    "PhaseTwo_RollbackFailed_XAER_NOTA_Retryable",
                    "PhaseOne_RDONLY",
                    "STOP_RETRY"),
            BranchType.class,
            List.of("AT", "TCC", "SAGA", "XA", "SAGA_ANNOTATION"),
            ResultCode.class,
            List.of("Failed", "Success"),
            TransactionExceptionCode.class,
            List.of(
                    "Unknown",
                    "BeginFailed",
                    "LockKeyConflict",
                    "IO",
                    "BranchRollbackFailed_Retriable",
                    "BranchRollbackFailed_Unretriable",
                    "BranchRegisterFailed",
                    "BranchReportFailed",
                    "LockableCheckFailed",
                    "BranchTransactionNotExist",
                    "GlobalTransactionNotExist",
                    "GlobalTransactionNotActive",
                    "GlobalTransactionStatusInvalid",
                    "FailedToSendBranchCommitRequest",
                    "FailedToSendBranchRollbackRequest",
                    "FailedToAddBranch",
                    "FailedLockGlobalTransaction",
                    "FailedWriteSession",
                    "FailedStore",
                    "NotRaftLeader",
                    "LockKeyConflictFailFast",
                    "TransactionTimeout",
                    "CommitHeuristic",
                    "Broken"));

    private static final Map<String, String> TYPES = Map.of(
            "RegisterTMRequest", "RegisterTmRequest",
            "RegisterTMResponse", "RegisterTmResponse",
            "RegisterRMRequest", "RegisterRmRequest",
            "RegisterRMResponse", "RegisterRmResponse",
            "MergedWarpMessage", "MergedRequest",
            "MergeResultMessage", "MergedResponse",
            "BatchResultMessage", "BatchResponse",
            "UndoLogDeleteRequest", "UndoLogDelete");

    /** Record component to the names it has in the file. */
    private static final Map<String, List<String>> FIELDS = Map.of(
            "timeoutMillis", List.of("timeout"),
            "status", List.of("status", "globalStatus", "branchStatus"),
            "requests", List.of("msgs"),
            "responses", List.of("msgs", "resultMessages"),
            "ids", List.of("msgIds"));

    static List<GoldenFrame> read(String resource) {
        ObjectMapper mapper = new ObjectMapper();
        List<GoldenFrame> frames = new ArrayList<>();
        try (var in = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(GoldenFrame.class.getResourceAsStream(resource)), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                frames.add(new GoldenFrame(frames.size() + 1, mapper.readTree(line)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return frames;
    }

    static List<GoldenFrame> small() {
        return read("seata-frames.jsonl");
    }

    static List<GoldenFrame> current() {
        return small().stream().filter(frame -> frame.protocol() == 1).toList();
    }

    int protocol() {
        return json.get("protocol").asInt();
    }

    ByteBuf bytes() {
        return Unpooled.wrappedBuffer(ByteBufUtil.decodeHexDump(hex()));
    }

    String hex() {
        return json.get("frameHex").asText();
    }

    String bodyHex() {
        return json.get("bodyHex").asText();
    }

    boolean compressed() {
        return json.get("compressor").asInt() != 0;
    }

    /** The frame as the file describes it. */
    Frame frame() {
        Map<String, @Nullable String> head = new LinkedHashMap<>();
        json.path("headMap")
                .properties()
                .forEach(e -> head.put(
                        e.getKey(), e.getValue().isNull() ? null : e.getValue().asText()));
        return new Frame(
                FrameKind.values()[json.get("messageType").asInt()],
                (byte) json.get("codec").asInt(),
                (byte) json.get("compressor").asInt(),
                json.get("requestId").asInt(),
                head,
                message(json.get("message").asText(), json.get("fields")));
    }

    /** What the library read back, or null where it is known to lose or invent something. */
    @Nullable
    Message readByLibrary() {
        String note = json.path("note").asText();
        JsonNode read = json.get("decodedByLib");
        boolean inventsVersion = read.hasNonNull("version")
                && json.get("fields").path("version").isNull()
                && !read.get("version").asText().isEmpty();
        boolean childrenNotListed = read.has("msgs") || read.has("resultMessages");
        boolean abbreviated = read.path("applicationData").asText().matches("<\\d+ chars>");
        if (note.contains("real decoder") || inventsVersion || childrenNotListed || abbreviated) {
            return null;
        }
        return message(json.get("message").asText(), read);
    }

    private static @Nullable Message message(String name, JsonNode fields) {
        if (name.equals("HeartbeatMessage")) {
            return null;
        }
        try {
            Class<?> type = Class.forName("io.txn.protocol.message.Message$" + TYPES.getOrDefault(name, name));
            RecordComponent[] components = type.getRecordComponents();
            @Nullable Object[] values = new Object[components.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = value(components[i], fields);
            }
            Class<?>[] types =
                    Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
            return (Message) type.getDeclaredConstructor(types).newInstance(values);
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(name, e);
        }
    }

    private static @Nullable Object value(RecordComponent component, JsonNode fields) {
        Class<?> type = component.getType();
        if (type == Outcome.class) {
            ResultCode code = (ResultCode) constant(ResultCode.class, fields.get("resultCode"));
            String message = code == ResultCode.FAILED ? text(fields.path("msg")) : null;
            return new Outcome(Objects.requireNonNull(code), message, (TransactionExceptionCode) Objects.requireNonNull(
                    constant(TransactionExceptionCode.class, fields.get("transactionExceptionCode"))));
        }
        JsonNode node = FIELDS.getOrDefault(component.getName(), List.of(component.getName())).stream()
                .filter(fields::has)
                .map(fields::get)
                .findFirst()
                .orElseThrow(() -> new AssertionError(component + " is not in " + fields));
        if (type == String.class) {
            return text(node);
        } else if (type == int.class) {
            return node.intValue();
        } else if (type == long.class) {
            return node.longValue();
        } else if (type == short.class) {
            return (short) node.intValue();
        } else if (type == boolean.class) {
            return node.booleanValue();
        } else if (type.isEnum()) {
            return constant(type, node);
        } else if (type == List.class) {
            boolean ids = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0] == Integer.class;
            List<Object> list = new ArrayList<>();
            for (JsonNode child : node) {
                list.add(
                        ids
                                ? child.intValue()
                                : Objects.requireNonNull(
                                        message(child.get("message").asText(), child.get("fields"))));
            }
            return list;
        }
        throw new AssertionError("no value for " + component);
    }

    private static @Nullable Object constant(Class<?> type, JsonNode name) {
        if (name.isNull()) {
            return null;
        }
        int ordinal = Objects.requireNonNull(NAMES.get(type)).indexOf(name.asText());
        if (ordinal < 0) {
            throw new AssertionError(name + " is no " + type);
        }
        return type.getEnumConstants()[ordinal];
    }

    /** Absent and empty are one thing on the wire, and absent in our records. */
    private static @Nullable String text(JsonNode node) {
        if (node.has("$repeat")) {
            return node.get("$repeat").asText().repeat(node.get("$count").asInt());
        }
        return node.isNull() || node.isMissingNode() || node.asText().isEmpty() ? null : node.asText();
    }

    static void namesCoverEveryConstant() {
        NAMES.forEach((type, names) -> {
            if (type.getEnumConstants().length != names.size()) {
                throw new AssertionError(type + " has other constants than the wire");
            }
        });
    }

    @Override
    public String toString() {
        return "line " + line + " " + json.path("lib").asText() + " "
                + json.path("message").asText() + " " + json.path("note").asText();
    }
}
