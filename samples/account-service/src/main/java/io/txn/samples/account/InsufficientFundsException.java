package io.txn.samples.account;

final class InsufficientFundsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    InsufficientFundsException(String message) {
        super(message);
    }
}
