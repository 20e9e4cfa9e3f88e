package io.txn.samples.tcc;

/** What was asked for cannot be had, and why. */
final class NotPossibleException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NotPossibleException(String why) {
        super(why);
    }
}
