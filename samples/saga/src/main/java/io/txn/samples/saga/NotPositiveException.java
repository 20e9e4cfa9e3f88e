package io.txn.samples.saga;

/** Who orders or pays less than nothing takes. */
final class NotPositiveException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private NotPositiveException(String what, int number) {
        super(what + " has to be more than 0, and this one is " + number);
    }

    static void require(String what, int number) {
        if (number <= 0) {
            throw new NotPositiveException(what, number);
        }
    }
}
