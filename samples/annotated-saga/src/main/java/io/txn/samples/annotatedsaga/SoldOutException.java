package io.txn.samples.annotatedsaga;

/** There is no seat left. */
final class SoldOutException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SoldOutException() {
        super("there is no seat left on the train");
    }
}
