package io.txn.protocol.transport;

import io.txn.protocol.codec.FrameCodec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What connections that are not admitted yet may cost: how long their frames are and how many, how much memory their unfinished frames hold together, and how many log
 * lines they cause. Without these bounds strangers could take the memory and the disk of everybody else. Thread-safe.
 */
final class Newcomers {

    /** Room for the registration of a thousand databases; also bounds what a compressed one unfolds to. */
    static final int MAX_FRAME_BYTES = 256 * 1024;

    /** Two registrations and some heartbeats; a stranger that sends more costs more than it should. */
    static final int MAX_FRAMES = 100;

    /** Ordinary registrations come in one piece, and hold nothing here. */
    static final long MAX_HELD_BYTES = 64L * 1024 * 1024;

    private static final int LINES = 20;
    private static final Duration LINES_PERIOD = Duration.ofMinutes(1);

    private final FrameCodec codec;
    private final AtomicLong held = new AtomicLong();
    private final LogBudget lines;

    Newcomers(int maxFrameBytes, InstantSource clock) {
        this.codec = new FrameCodec(Math.min(maxFrameBytes, MAX_FRAME_BYTES));
        this.lines = new LogBudget(clock, LINES, LINES_PERIOD);
    }

    /** Reads their frames. */
    FrameCodec codec() {
        return codec;
    }

    /** Counts memory that one of them takes, or, negative, gives back. Returns whether it is more than they may have together. */
    boolean hold(long bytes) {
        return held.addAndGet(bytes) > MAX_HELD_BYTES;
    }

    /** Like {@link LogBudget#next}. */
    long line() {
        return lines.next();
    }
}
