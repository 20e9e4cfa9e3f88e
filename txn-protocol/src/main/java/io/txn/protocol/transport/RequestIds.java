package io.txn.protocol.transport;

import java.util.concurrent.atomic.AtomicInteger;

/** A count of the requests that one side sends: each id is used once until all 2^31 were, and none is negative. Thread-safe. */
public final class RequestIds {

    private final AtomicInteger last;

    /** @param before the first id is the one after it; only its lower 31 bits count */
    public RequestIds(int before) {
        last = new AtomicInteger(before);
    }

    int next() {
        return last.incrementAndGet() & Integer.MAX_VALUE;
    }
}
