package io.txn.coordinator;

/** What became of an {@link OperatorCommand}. */
public sealed interface OperatorResult {

    /** It was accepted and is durable. */
    record Accepted() implements OperatorResult {}

    /** There is no such transaction or branch (any more). */
    record NotFound() implements OperatorResult {}

    /** It does not fit the state of the transaction; nothing was changed. */
    record Refused(String why) implements OperatorResult {}
}
