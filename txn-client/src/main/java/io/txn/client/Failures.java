package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.Set;

/** Failures in one line, for those who ask why a transaction was rolled back. Stateless. */
final class Failures {

    private static final int MESSAGE_LENGTH = 200;
    private static final int MOST_CAUSES = 16;

    /** By name: what knows of transactions knows of no SQL. */
    private static final Set<String> PASSING =
            Set.of("java.sql.SQLTransientException", "java.sql.SQLRecoverableException");

    private Failures() {}

    /**
     * @param where what it left: application and method
     * @param messages whether to repeat what the exceptions say, and not their classes alone
     */
    static String text(String where, Throwable failure, boolean messages) {
        Throwable first = failure;
        for (int depth = 0; depth < MOST_CAUSES && first.getCause() != null; depth++) {
            first = first.getCause();
        }
        String text = where + ": " + text(failure, messages);
        return first == failure ? text : text + ", caused by " + text(first, messages);
    }

    /** Whether it says of itself that the same call may succeed later: it is no outcome that anybody wants to be given again. */
    static boolean isPassing(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; depth < MOST_CAUSES && cause != null; depth++) {
            boolean passes = isNamed(cause.getClass())
                    || (cause instanceof TxnException told && told.code().category() == ErrorCode.Category.RETRY);
            if (passes) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    private static boolean isNamed(Class<?> failure) {
        for (Class<?> type = failure; type != null; type = type.getSuperclass()) {
            if (PASSING.contains(type.getName())) {
                return true;
            }
        }
        return false;
    }

    private static String text(Throwable failure, boolean messages) {
        String message = messages ? failure.getMessage() : null;
        String name = failure.getClass().getName();
        if (message == null || message.isBlank()) {
            return name;
        }
        return name + ": "
                + (message.length() <= MESSAGE_LENGTH ? message : message.substring(0, MESSAGE_LENGTH) + '…');
    }
}
