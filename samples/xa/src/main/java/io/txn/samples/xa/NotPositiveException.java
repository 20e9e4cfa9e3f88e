package io.txn.samples.xa;

/** Who gives less than nothing takes. */
final class NotPositiveException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NotPositiveException(int amount) {
        super("an amount has to be more than 0, and this one is " + amount);
    }
}
