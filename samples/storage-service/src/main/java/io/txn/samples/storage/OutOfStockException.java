package io.txn.samples.storage;

final class OutOfStockException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    OutOfStockException(String message) {
        super(message);
    }
}
