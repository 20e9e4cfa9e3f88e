package io.txn.samples.xa;

/** What was asked for cannot be done, and why. */
final class NotPossibleException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NotPossibleException(String why) {
        super(why);
    }
}
