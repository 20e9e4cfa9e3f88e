package io.txn.coordinator.app.admin;

import io.txn.protocol.ErrorCode;

/** The error that a status of HTTP stands for when nothing better is known. */
final class HttpErrors {

    private HttpErrors() {}

    static ErrorCode code(int status) {
        return switch (status) {
            case 401, 403 -> ErrorCode.UNAUTHENTICATED;
            case 404 -> ErrorCode.NOTHING_HERE;
            case 405 -> ErrorCode.METHOD_NOT_ALLOWED;
            case 406, 415 -> ErrorCode.NOT_JSON;
            case 503 -> ErrorCode.COORDINATOR_OVERLOADED;
            default -> status < 500 ? ErrorCode.BAD_REQUEST : ErrorCode.UNEXPECTED_ERROR;
        };
    }
}
