package io.txn.protocol.codec;

import static io.txn.protocol.codec.Containers.container;
import static io.txn.protocol.codec.Primitives.BOOL1;
import static io.txn.protocol.codec.Primitives.BOOL2;
import static io.txn.protocol.codec.Primitives.BRANCH_STATUS;
import static io.txn.protocol.codec.Primitives.BRANCH_TYPE;
import static io.txn.protocol.codec.Primitives.GLOBAL_STATUS;
import static io.txn.protocol.codec.Primitives.GLOBAL_STATUS_OR_NONE;
import static io.txn.protocol.codec.Primitives.I2;
import static io.txn.protocol.codec.Primitives.I4;
import static io.txn.protocol.codec.Primitives.I8;
import static io.txn.protocol.codec.Primitives.OUTCOME;
import static io.txn.protocol.codec.Primitives.STR2;
import static io.txn.protocol.codec.Primitives.STR4;
import static io.txn.protocol.codec.Schema.field;
import static io.txn.protocol.codec.Schema.schema;

import io.txn.protocol.message.Message;
import io.txn.protocol.message.Message.BatchResponse;
import io.txn.protocol.message.Message.BranchCommitRequest;
import io.txn.protocol.message.Message.BranchCommitResponse;
import io.txn.protocol.message.Message.BranchRegisterRequest;
import io.txn.protocol.message.Message.BranchRegisterResponse;
import io.txn.protocol.message.Message.BranchReportRequest;
import io.txn.protocol.message.Message.BranchReportResponse;
import io.txn.protocol.message.Message.BranchRollbackRequest;
import io.txn.protocol.message.Message.BranchRollbackResponse;
import io.txn.protocol.message.Message.GlobalBeginRequest;
import io.txn.protocol.message.Message.GlobalBeginResponse;
import io.txn.protocol.message.Message.GlobalCommitRequest;
import io.txn.protocol.message.Message.GlobalCommitResponse;
import io.txn.protocol.message.Message.GlobalLockQueryRequest;
import io.txn.protocol.message.Message.GlobalLockQueryResponse;
import io.txn.protocol.message.Message.GlobalReportRequest;
import io.txn.protocol.message.Message.GlobalReportResponse;
import io.txn.protocol.message.Message.GlobalRollbackRequest;
import io.txn.protocol.message.Message.GlobalRollbackResponse;
import io.txn.protocol.message.Message.GlobalStatusRequest;
import io.txn.protocol.message.Message.GlobalStatusResponse;
import io.txn.protocol.message.Message.MergedRequest;
import io.txn.protocol.message.Message.MergedResponse;
import io.txn.protocol.message.Message.RegisterRmRequest;
import io.txn.protocol.message.Message.RegisterRmResponse;
import io.txn.protocol.message.Message.RegisterTmRequest;
import io.txn.protocol.message.Message.RegisterTmResponse;
import io.txn.protocol.message.Message.Request;
import io.txn.protocol.message.Message.Response;
import io.txn.protocol.message.Message.UndoLogDelete;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** Every message of codec 1, described once. The closed set of types that can come in from outside. */
@SuppressWarnings(
        "NullAway") // does not infer that the type argument behind a field like field(STR2, X::xid) is nullable
final class Schemas {

    /** Which message has which number. */
    private static final Map<Class<? extends Message>, Integer> CODES = Map.ofEntries(
            Map.entry(GlobalBeginRequest.class, 1),
            Map.entry(GlobalBeginResponse.class, 2),
            Map.entry(BranchCommitRequest.class, 3),
            Map.entry(BranchCommitResponse.class, 4),
            Map.entry(BranchRollbackRequest.class, 5),
            Map.entry(BranchRollbackResponse.class, 6),
            Map.entry(GlobalCommitRequest.class, 7),
            Map.entry(GlobalCommitResponse.class, 8),
            Map.entry(GlobalRollbackRequest.class, 9),
            Map.entry(GlobalRollbackResponse.class, 10),
            Map.entry(BranchRegisterRequest.class, 11),
            Map.entry(BranchRegisterResponse.class, 12),
            Map.entry(BranchReportRequest.class, 13),
            Map.entry(BranchReportResponse.class, 14),
            Map.entry(GlobalStatusRequest.class, 15),
            Map.entry(GlobalStatusResponse.class, 16),
            Map.entry(GlobalReportRequest.class, 17),
            Map.entry(GlobalReportResponse.class, 18),
            Map.entry(GlobalLockQueryRequest.class, 21),
            Map.entry(GlobalLockQueryResponse.class, 22),
            Map.entry(MergedRequest.class, 59),
            Map.entry(MergedResponse.class, 60),
            Map.entry(RegisterTmRequest.class, 101),
            Map.entry(RegisterTmResponse.class, 102),
            Map.entry(RegisterRmRequest.class, 103),
            Map.entry(RegisterRmResponse.class, 104),
            Map.entry(UndoLogDelete.class, 111),
            Map.entry(BatchResponse.class, 121));

    private static final int MOST = 128;

    private static final AtomicReferenceArray<@Nullable Schema<?>> KNOWN = new AtomicReferenceArray<>(MOST);

    private Schemas() {}

    /** A client that starts meets four of these messages, and each getter is a class that the JVM makes: so each is described when it is first met. */
    private static @Nullable Schema<?> describe(int typeCode) {
        return switch (typeCode) {
            case 1 ->
                schema(
                        1,
                        GlobalBeginRequest.class,
                        GlobalBeginRequest::new,
                        field(I4, GlobalBeginRequest::timeoutMillis),
                        field(STR2, GlobalBeginRequest::transactionName));
            case 2 ->
                schema(
                        2,
                        GlobalBeginResponse.class,
                        GlobalBeginResponse::new,
                        field(OUTCOME, GlobalBeginResponse::outcome),
                        field(STR2, GlobalBeginResponse::xid),
                        field(STR2, GlobalBeginResponse::extraData));
            case 3 ->
                schema(
                        3,
                        BranchCommitRequest.class,
                        BranchCommitRequest::new,
                        field(STR2, BranchCommitRequest::xid),
                        field(I8, BranchCommitRequest::branchId),
                        field(BRANCH_TYPE, BranchCommitRequest::branchType),
                        field(STR2, BranchCommitRequest::resourceId),
                        field(STR4, BranchCommitRequest::applicationData));
            case 4 ->
                schema(
                        4,
                        BranchCommitResponse.class,
                        BranchCommitResponse::new,
                        field(OUTCOME, BranchCommitResponse::outcome),
                        field(STR2, BranchCommitResponse::xid),
                        field(I8, BranchCommitResponse::branchId),
                        field(BRANCH_STATUS, BranchCommitResponse::status));
            case 5 ->
                schema(
                        5,
                        BranchRollbackRequest.class,
                        BranchRollbackRequest::new,
                        field(STR2, BranchRollbackRequest::xid),
                        field(I8, BranchRollbackRequest::branchId),
                        field(BRANCH_TYPE, BranchRollbackRequest::branchType),
                        field(STR2, BranchRollbackRequest::resourceId),
                        field(STR4, BranchRollbackRequest::applicationData));
            case 6 ->
                schema(
                        6,
                        BranchRollbackResponse.class,
                        BranchRollbackResponse::new,
                        field(OUTCOME, BranchRollbackResponse::outcome),
                        field(STR2, BranchRollbackResponse::xid),
                        field(I8, BranchRollbackResponse::branchId),
                        field(BRANCH_STATUS, BranchRollbackResponse::status));
            case 7 ->
                schema(
                        7,
                        GlobalCommitRequest.class,
                        GlobalCommitRequest::new,
                        field(STR2, GlobalCommitRequest::xid),
                        field(STR2, GlobalCommitRequest::extraData));
            case 8 ->
                schema(
                        8,
                        GlobalCommitResponse.class,
                        GlobalCommitResponse::new,
                        field(OUTCOME, GlobalCommitResponse::outcome),
                        field(GLOBAL_STATUS, GlobalCommitResponse::status));
            case 9 ->
                schema(
                        9,
                        GlobalRollbackRequest.class,
                        GlobalRollbackRequest::new,
                        field(STR2, GlobalRollbackRequest::xid),
                        field(STR2, GlobalRollbackRequest::extraData));
            case 10 ->
                schema(
                        10,
                        GlobalRollbackResponse.class,
                        GlobalRollbackResponse::new,
                        field(OUTCOME, GlobalRollbackResponse::outcome),
                        field(GLOBAL_STATUS, GlobalRollbackResponse::status));
            case 11 ->
                schema(
                        11,
                        BranchRegisterRequest.class,
                        BranchRegisterRequest::new,
                        field(STR2, BranchRegisterRequest::xid),
                        field(BRANCH_TYPE, BranchRegisterRequest::branchType),
                        field(STR2, BranchRegisterRequest::resourceId),
                        field(STR4, BranchRegisterRequest::lockKey),
                        field(STR4, BranchRegisterRequest::applicationData));
            case 12 ->
                schema(
                        12,
                        BranchRegisterResponse.class,
                        BranchRegisterResponse::new,
                        field(OUTCOME, BranchRegisterResponse::outcome),
                        field(I8, BranchRegisterResponse::branchId));
            case 13 ->
                schema(
                        13,
                        BranchReportRequest.class,
                        BranchReportRequest::new,
                        field(STR2, BranchReportRequest::xid),
                        field(I8, BranchReportRequest::branchId),
                        field(BRANCH_STATUS, BranchReportRequest::status),
                        field(STR2, BranchReportRequest::resourceId),
                        field(STR4, BranchReportRequest::applicationData),
                        field(BRANCH_TYPE, BranchReportRequest::branchType));
            case 14 ->
                schema(
                        14,
                        BranchReportResponse.class,
                        BranchReportResponse::new,
                        field(OUTCOME, BranchReportResponse::outcome));
            case 15 ->
                schema(
                        15,
                        GlobalStatusRequest.class,
                        GlobalStatusRequest::new,
                        field(STR2, GlobalStatusRequest::xid),
                        field(STR2, GlobalStatusRequest::extraData));
            case 16 ->
                schema(
                        16,
                        GlobalStatusResponse.class,
                        GlobalStatusResponse::new,
                        field(OUTCOME, GlobalStatusResponse::outcome),
                        field(GLOBAL_STATUS, GlobalStatusResponse::status));
            case 17 ->
                schema(
                        17,
                        GlobalReportRequest.class,
                        GlobalReportRequest::new,
                        field(STR2, GlobalReportRequest::xid),
                        field(STR2, GlobalReportRequest::extraData),
                        field(GLOBAL_STATUS_OR_NONE, GlobalReportRequest::status));
            case 18 ->
                schema(
                        18,
                        GlobalReportResponse.class,
                        GlobalReportResponse::new,
                        field(OUTCOME, GlobalReportResponse::outcome),
                        field(GLOBAL_STATUS, GlobalReportResponse::status));
            case 21 ->
                schema(
                        21,
                        GlobalLockQueryRequest.class,
                        GlobalLockQueryRequest::new,
                        field(STR2, GlobalLockQueryRequest::xid),
                        field(BRANCH_TYPE, GlobalLockQueryRequest::branchType),
                        field(STR2, GlobalLockQueryRequest::resourceId),
                        field(STR4, GlobalLockQueryRequest::lockKey),
                        field(STR4, GlobalLockQueryRequest::applicationData));
            case 22 ->
                schema(
                        22,
                        GlobalLockQueryResponse.class,
                        GlobalLockQueryResponse::new,
                        field(OUTCOME, GlobalLockQueryResponse::outcome),
                        field(BOOL2, GlobalLockQueryResponse::lockable));
            case 59 ->
                container(
                        59,
                        MergedRequest.class,
                        Request.class,
                        MergedRequest::new,
                        MergedRequest::requests,
                        MergedRequest::ids);
            case 60 ->
                container(
                        60,
                        MergedResponse.class,
                        Response.class,
                        (responses, ids) -> new MergedResponse(responses),
                        MergedResponse::responses,
                        null);
            case 101 ->
                schema(
                        101,
                        RegisterTmRequest.class,
                        RegisterTmRequest::new,
                        field(STR2, RegisterTmRequest::version),
                        field(STR2, RegisterTmRequest::applicationId),
                        field(STR2, RegisterTmRequest::transactionServiceGroup),
                        field(STR2, RegisterTmRequest::extraData));
            case 102 ->
                schema(
                        102,
                        RegisterTmResponse.class,
                        RegisterTmResponse::new,
                        field(BOOL1, RegisterTmResponse::identified),
                        field(STR2, RegisterTmResponse::version));
            case 103 ->
                schema(
                        103,
                        RegisterRmRequest.class,
                        RegisterRmRequest::new,
                        field(STR2, RegisterRmRequest::version),
                        field(STR2, RegisterRmRequest::applicationId),
                        field(STR2, RegisterRmRequest::transactionServiceGroup),
                        field(STR2, RegisterRmRequest::extraData),
                        field(STR4, RegisterRmRequest::resourceIds));
            case 104 ->
                schema(
                        104,
                        RegisterRmResponse.class,
                        RegisterRmResponse::new,
                        field(BOOL1, RegisterRmResponse::identified),
                        field(STR2, RegisterRmResponse::version));
            case 111 ->
                schema(
                        111,
                        UndoLogDelete.class,
                        UndoLogDelete::new,
                        field(BRANCH_TYPE, UndoLogDelete::branchType),
                        field(STR2, UndoLogDelete::resourceId),
                        field(I2, UndoLogDelete::saveDays));
            case 121 ->
                container(
                        121,
                        BatchResponse.class,
                        Response.class,
                        BatchResponse::new,
                        BatchResponse::responses,
                        BatchResponse::ids);
            default -> null;
        };
    }

    /** All of them, in the order of their numbers. */
    static List<Schema<?>> all() {
        List<Schema<?>> all = new ArrayList<>();
        CODES.values().stream().sorted().forEach(code -> all.add(of(code.intValue())));
        return List.copyOf(all);
    }

    static Schema<?> of(Message message) {
        Integer code = CODES.get(message.getClass());
        if (code == null) {
            throw new AssertionError("no schema for " + message.getClass());
        }
        return of(code.intValue());
    }

    static Schema<?> of(int typeCode) {
        Schema<?> schema = typeCode >= 0 && typeCode < MOST ? known(typeCode) : null;
        if (schema == null) {
            throw new MalformedFrameException("unknown message type " + typeCode);
        }
        return schema;
    }

    /** Two threads may describe the same one at once; either description is as good. */
    private static @Nullable Schema<?> known(int typeCode) {
        Schema<?> schema = KNOWN.get(typeCode);
        if (schema == null) {
            schema = describe(typeCode);
            KNOWN.set(typeCode, schema);
        }
        return schema;
    }
}
