package io.txn.client.saga;

import io.txn.protocol.Xid;

/**
 * A saga has ended. Said at least once. Immutable.
 *
 * @param definition name and version
 * @param input what it was started with
 * @param done false: everything that was done has been undone
 */
public record SagaEnded<I>(Xid xid, String definition, I input, boolean done) {}
