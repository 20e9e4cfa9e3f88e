package io.txn.client;

/** Failures in one line, for those who ask why a transaction was rolled back. Stateless. */
final class Failures {

    private static final int MESSAGE_LENGTH = 200;
    private static final int MOST_CAUSES = 16;

    private Failures() {}

    /** @param where what it left: application and method */
    static String text(String where, Throwable failure) {
        Throwable first = failure;
        for (int depth = 0; depth < MOST_CAUSES && first.getCause() != null; depth++) {
            first = first.getCause();
        }
        String text = where + ": " + text(failure);
        return first == failure ? text : text + ", caused by " + text(first);
    }

    private static String text(Throwable failure) {
        String message = failure.getMessage();
        String name = failure.getClass().getName();
        if (message == null || message.isBlank()) {
            return name;
        }
        return name + ": "
                + (message.length() <= MESSAGE_LENGTH ? message : message.substring(0, MESSAGE_LENGTH) + '…');
    }
}
