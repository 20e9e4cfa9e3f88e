package io.txn.test;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts, in what one client sends over one connection, the requests about transactions: begin, commit, rollback, registrations, reports and questions. Neither
 * the answers to branch calls nor heartbeats and registrations of the client itself. Somebody waits for each of them. For one thread.
 */
public final class CoordinatorCalls implements Relay.Ear {

    private static final int HEAD = 16;
    private static final int ONE_WAY = 2;
    private static final Set<Integer> CALLS = Set.of(1, 7, 9, 11, 13, 15, 17, 21);
    private static final int MERGED = 59;

    private final AtomicLong count;
    private ByteBuffer pending = ByteBuffer.allocate(1 << 16);

    public CoordinatorCalls(AtomicLong count) {
        this.count = count;
    }

    @Override
    public void sent(byte[] bytes, int length) {
        if (pending.remaining() < length) {
            ByteBuffer larger = ByteBuffer.allocate(2 * (pending.position() + length));
            pending.flip();
            pending = larger.put(pending);
        }
        pending.put(bytes, 0, length).flip();
        while (pending.remaining() >= HEAD && pending.remaining() >= pending.getInt(pending.position() + 3)) {
            frame(pending.position(), pending.getInt(pending.position() + 3));
        }
        pending.compact();
    }

    private void frame(int at, int full) {
        int head = pending.getShort(at + 7);
        int kind = pending.get(at + 9);
        if ((kind == 0 || kind == ONE_WAY) && full >= head + 2) {
            int code = pending.getShort(at + head);
            if (code == MERGED) {
                // i4 length, i2 number of requests.
                count.addAndGet(pending.getShort(at + head + 6));
            } else if (CALLS.contains(code)) {
                count.incrementAndGet();
            }
        }
        pending.position(at + full);
    }

    @Override
    public void answered() {}
}
