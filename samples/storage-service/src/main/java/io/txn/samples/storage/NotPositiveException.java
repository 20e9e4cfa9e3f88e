package io.txn.samples.storage;

/** Who takes less than nothing brings. */
final class NotPositiveException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    NotPositiveException(int quantity) {
        super("A quantity has to be more than 0, and this one is " + quantity + ".");
    }
}
