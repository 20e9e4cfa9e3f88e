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
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Every message of codec 1, described once. The closed set of types that can come in from outside. */
@SuppressWarnings(
        "NullAway") // does not infer that the type argument behind a field like field(STR2, X::xid) is nullable
final class Schemas {

    static final List<Schema<?>> ALL = List.of(
            schema(
                    1,
                    GlobalBeginRequest.class,
                    GlobalBeginRequest::new,
                    field(I4, GlobalBeginRequest::timeoutMillis),
                    field(STR2, GlobalBeginRequest::transactionName)),
            schema(
                    2,
                    GlobalBeginResponse.class,
                    GlobalBeginResponse::new,
                    field(OUTCOME, GlobalBeginResponse::outcome),
                    field(STR2, GlobalBeginResponse::xid),
                    field(STR2, GlobalBeginResponse::extraData)),
            schema(
                    3,
                    BranchCommitRequest.class,
                    BranchCommitRequest::new,
                    field(STR2, BranchCommitRequest::xid),
                    field(I8, BranchCommitRequest::branchId),
                    field(BRANCH_TYPE, BranchCommitRequest::branchType),
                    field(STR2, BranchCommitRequest::resourceId),
                    field(STR4, BranchCommitRequest::applicationData)),
            schema(
                    4,
                    BranchCommitResponse.class,
                    BranchCommitResponse::new,
                    field(OUTCOME, BranchCommitResponse::outcome),
                    field(STR2, BranchCommitResponse::xid),
                    field(I8, BranchCommitResponse::branchId),
                    field(BRANCH_STATUS, BranchCommitResponse::status)),
            schema(
                    5,
                    BranchRollbackRequest.class,
                    BranchRollbackRequest::new,
                    field(STR2, BranchRollbackRequest::xid),
                    field(I8, BranchRollbackRequest::branchId),
                    field(BRANCH_TYPE, BranchRollbackRequest::branchType),
                    field(STR2, BranchRollbackRequest::resourceId),
                    field(STR4, BranchRollbackRequest::applicationData)),
            schema(
                    6,
                    BranchRollbackResponse.class,
                    BranchRollbackResponse::new,
                    field(OUTCOME, BranchRollbackResponse::outcome),
                    field(STR2, BranchRollbackResponse::xid),
                    field(I8, BranchRollbackResponse::branchId),
                    field(BRANCH_STATUS, BranchRollbackResponse::status)),
            schema(
                    7,
                    GlobalCommitRequest.class,
                    GlobalCommitRequest::new,
                    field(STR2, GlobalCommitRequest::xid),
                    field(STR2, GlobalCommitRequest::extraData)),
            schema(
                    8,
                    GlobalCommitResponse.class,
                    GlobalCommitResponse::new,
                    field(OUTCOME, GlobalCommitResponse::outcome),
                    field(GLOBAL_STATUS, GlobalCommitResponse::status)),
            schema(
                    9,
                    GlobalRollbackRequest.class,
                    GlobalRollbackRequest::new,
                    field(STR2, GlobalRollbackRequest::xid),
                    field(STR2, GlobalRollbackRequest::extraData)),
            schema(
                    10,
                    GlobalRollbackResponse.class,
                    GlobalRollbackResponse::new,
                    field(OUTCOME, GlobalRollbackResponse::outcome),
                    field(GLOBAL_STATUS, GlobalRollbackResponse::status)),
            schema(
                    11,
                    BranchRegisterRequest.class,
                    BranchRegisterRequest::new,
                    field(STR2, BranchRegisterRequest::xid),
                    field(BRANCH_TYPE, BranchRegisterRequest::branchType),
                    field(STR2, BranchRegisterRequest::resourceId),
                    field(STR4, BranchRegisterRequest::lockKey),
                    field(STR4, BranchRegisterRequest::applicationData)),
            schema(
                    12,
                    BranchRegisterResponse.class,
                    BranchRegisterResponse::new,
                    field(OUTCOME, BranchRegisterResponse::outcome),
                    field(I8, BranchRegisterResponse::branchId)),
            schema(
                    13,
                    BranchReportRequest.class,
                    BranchReportRequest::new,
                    field(STR2, BranchReportRequest::xid),
                    field(I8, BranchReportRequest::branchId),
                    field(BRANCH_STATUS, BranchReportRequest::status),
                    field(STR2, BranchReportRequest::resourceId),
                    field(STR4, BranchReportRequest::applicationData),
                    field(BRANCH_TYPE, BranchReportRequest::branchType)),
            schema(
                    14,
                    BranchReportResponse.class,
                    BranchReportResponse::new,
                    field(OUTCOME, BranchReportResponse::outcome)),
            schema(
                    15,
                    GlobalStatusRequest.class,
                    GlobalStatusRequest::new,
                    field(STR2, GlobalStatusRequest::xid),
                    field(STR2, GlobalStatusRequest::extraData)),
            schema(
                    16,
                    GlobalStatusResponse.class,
                    GlobalStatusResponse::new,
                    field(OUTCOME, GlobalStatusResponse::outcome),
                    field(GLOBAL_STATUS, GlobalStatusResponse::status)),
            schema(
                    17,
                    GlobalReportRequest.class,
                    GlobalReportRequest::new,
                    field(STR2, GlobalReportRequest::xid),
                    field(STR2, GlobalReportRequest::extraData),
                    field(GLOBAL_STATUS_OR_NONE, GlobalReportRequest::status)),
            schema(
                    18,
                    GlobalReportResponse.class,
                    GlobalReportResponse::new,
                    field(OUTCOME, GlobalReportResponse::outcome),
                    field(GLOBAL_STATUS, GlobalReportResponse::status)),
            schema(
                    21,
                    GlobalLockQueryRequest.class,
                    GlobalLockQueryRequest::new,
                    field(STR2, GlobalLockQueryRequest::xid),
                    field(BRANCH_TYPE, GlobalLockQueryRequest::branchType),
                    field(STR2, GlobalLockQueryRequest::resourceId),
                    field(STR4, GlobalLockQueryRequest::lockKey),
                    field(STR4, GlobalLockQueryRequest::applicationData)),
            schema(
                    22,
                    GlobalLockQueryResponse.class,
                    GlobalLockQueryResponse::new,
                    field(OUTCOME, GlobalLockQueryResponse::outcome),
                    field(BOOL2, GlobalLockQueryResponse::lockable)),
            container(
                    59,
                    MergedRequest.class,
                    Request.class,
                    MergedRequest::new,
                    MergedRequest::requests,
                    MergedRequest::ids),
            container(
                    60,
                    MergedResponse.class,
                    Response.class,
                    (responses, ids) -> new MergedResponse(responses),
                    MergedResponse::responses,
                    null),
            schema(
                    101,
                    RegisterTmRequest.class,
                    RegisterTmRequest::new,
                    field(STR2, RegisterTmRequest::version),
                    field(STR2, RegisterTmRequest::applicationId),
                    field(STR2, RegisterTmRequest::transactionServiceGroup),
                    field(STR2, RegisterTmRequest::extraData)),
            schema(
                    102,
                    RegisterTmResponse.class,
                    RegisterTmResponse::new,
                    field(BOOL1, RegisterTmResponse::identified),
                    field(STR2, RegisterTmResponse::version)),
            schema(
                    103,
                    RegisterRmRequest.class,
                    RegisterRmRequest::new,
                    field(STR2, RegisterRmRequest::version),
                    field(STR2, RegisterRmRequest::applicationId),
                    field(STR2, RegisterRmRequest::transactionServiceGroup),
                    field(STR2, RegisterRmRequest::extraData),
                    field(STR4, RegisterRmRequest::resourceIds)),
            schema(
                    104,
                    RegisterRmResponse.class,
                    RegisterRmResponse::new,
                    field(BOOL1, RegisterRmResponse::identified),
                    field(STR2, RegisterRmResponse::version)),
            schema(
                    111,
                    UndoLogDelete.class,
                    UndoLogDelete::new,
                    field(BRANCH_TYPE, UndoLogDelete::branchType),
                    field(STR2, UndoLogDelete::resourceId),
                    field(I2, UndoLogDelete::saveDays)),
            container(
                    121,
                    BatchResponse.class,
                    Response.class,
                    BatchResponse::new,
                    BatchResponse::responses,
                    BatchResponse::ids));

    private static final Map<Class<?>, Schema<?>> BY_TYPE =
            ALL.stream().collect(Collectors.toUnmodifiableMap(Schema::type, Function.identity()));

    private static final @Nullable Schema<?>[] BY_CODE = byCode();

    private Schemas() {}

    private static @Nullable Schema<?>[] byCode() {
        @Nullable Schema<?>[] table = new Schema<?>[128];
        for (Schema<?> schema : ALL) {
            table[schema.typeCode()] = schema;
        }
        return table;
    }

    static Schema<?> of(Message message) {
        Schema<?> schema = BY_TYPE.get(message.getClass());
        if (schema == null) {
            throw new AssertionError("no schema for " + message.getClass());
        }
        return schema;
    }

    static Schema<?> of(int typeCode) {
        Schema<?> schema = typeCode >= 0 && typeCode < BY_CODE.length ? BY_CODE[typeCode] : null;
        if (schema == null) {
            throw new MalformedFrameException("unknown message type " + typeCode);
        }
        return schema;
    }
}
