package io.txn.protocol.transport;

import java.time.Duration;
import java.util.function.Consumer;

/**
 * The bounds of a transport. Immutable; start from {@link #DEFAULTS}.
 *
 * @param maxFrameBytes the longest frame that is read or written, head included; also bounds what a compressed body may unfold to
 * @param maxPendingRequests how many requests of one connection may wait for an answer; more fail at once with TOO_MANY_REQUESTS
 * @param writeIdle a client that wrote nothing for this long sends a heartbeat
 * @param readIdle a connection that brought no complete frame for this long is closed; a client sends a heartbeat when half of it is over
 * @param connectTimeout how long a client waits for a connection
 * @param writeBufferLow a connection above {@code writeBufferHigh} counts as writable again below this many bytes
 * @param writeBufferHigh from this many unwritten bytes on, a server stops reading from the connection
 * @param slowReaderGrace a connection that stays above its high-water mark for this long is closed
 * @param maxConnections how many connections a server serves at a time; further ones are closed at once
 * @param maxUnregistered how many connections that have not been {@linkplain RpcConnection#admit() admitted} a server with a deadline for that keeps; for a further one the
 *     one that has waited longest is closed
 * @param maxUnregisteredOfAddress the same for those of one address; of one network of 64 bits with IPv6
 * @param ioThreads how many event loops serve the connections; 0 means one for every two processors, at most 8
 */
public record TransportOptions(
        int maxFrameBytes,
        int maxPendingRequests,
        Duration writeIdle,
        Duration readIdle,
        Duration connectTimeout,
        int writeBufferLow,
        int writeBufferHigh,
        Duration slowReaderGrace,
        int maxConnections,
        int maxUnregistered,
        int maxUnregisteredOfAddress,
        int ioThreads) {

    /** What Seata peers expect, and bounds that no ordinary use meets. */
    public static final TransportOptions DEFAULTS = new TransportOptions(
            8 * 1024 * 1024,
            10_000,
            Duration.ofSeconds(5),
            Duration.ofSeconds(15),
            Duration.ofSeconds(5),
            256 * 1024,
            1024 * 1024,
            Duration.ofSeconds(10),
            10_000,
            1_000,
            250,
            0);

    public TransportOptions {
        if (maxFrameBytes < 1024 || maxFrameBytes > 64 * 1024 * 1024) {
            throw new IllegalArgumentException("maxFrameBytes lies between 1 KiB and 64 MiB, got " + maxFrameBytes);
        }
        requirePositive("maxPendingRequests", maxPendingRequests);
        requirePositive("maxConnections", maxConnections);
        requirePositive("maxUnregistered", maxUnregistered);
        requirePositive("maxUnregisteredOfAddress", maxUnregisteredOfAddress);
        requirePositive("writeIdle", writeIdle);
        requirePositive("readIdle", readIdle);
        requirePositive("connectTimeout", connectTimeout);
        requirePositive("slowReaderGrace", slowReaderGrace);
        requirePositive("writeBufferLow", writeBufferLow);
        if (writeBufferHigh < writeBufferLow) {
            throw new IllegalArgumentException("writeBufferHigh is at least writeBufferLow");
        }
        if (ioThreads < 0) {
            throw new IllegalArgumentException("ioThreads is not negative");
        }
    }

    public TransportOptions withMaxFrameBytes(int value) {
        return with(draft -> draft.maxFrameBytes = value);
    }

    public TransportOptions withMaxPendingRequests(int value) {
        return with(draft -> draft.maxPendingRequests = value);
    }

    /** Replaces both idle times: {@code writeIdle} must leave room for a heartbeat and its answer within {@code readIdle}. */
    public TransportOptions withIdle(Duration write, Duration read) {
        return with(draft -> {
            draft.writeIdle = write;
            draft.readIdle = read;
        });
    }

    public TransportOptions withConnectTimeout(Duration value) {
        return with(draft -> draft.connectTimeout = value);
    }

    public TransportOptions withWriteBuffer(int low, int high, Duration grace) {
        return with(draft -> {
            draft.writeBufferLow = low;
            draft.writeBufferHigh = high;
            draft.slowReaderGrace = grace;
        });
    }

    public TransportOptions withMaxConnections(int value) {
        return with(draft -> draft.maxConnections = value);
    }

    /** Replaces both bounds of connections that have not been admitted. */
    public TransportOptions withMaxUnregistered(int all, int ofAddress) {
        return with(draft -> {
            draft.maxUnregistered = all;
            draft.maxUnregisteredOfAddress = ofAddress;
        });
    }

    public TransportOptions withIoThreads(int value) {
        return with(draft -> draft.ioThreads = value);
    }

    private TransportOptions with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finish();
    }

    /** The components while they are being changed: the one place, beside the header, that names them all. */
    private static final class Draft {
        private int maxFrameBytes;
        private int maxPendingRequests;
        private Duration writeIdle;
        private Duration readIdle;
        private Duration connectTimeout;
        private int writeBufferLow;
        private int writeBufferHigh;
        private Duration slowReaderGrace;
        private int maxConnections;
        private int maxUnregistered;
        private int maxUnregisteredOfAddress;
        private int ioThreads;

        Draft(TransportOptions from) {
            maxFrameBytes = from.maxFrameBytes;
            maxPendingRequests = from.maxPendingRequests;
            writeIdle = from.writeIdle;
            readIdle = from.readIdle;
            connectTimeout = from.connectTimeout;
            writeBufferLow = from.writeBufferLow;
            writeBufferHigh = from.writeBufferHigh;
            slowReaderGrace = from.slowReaderGrace;
            maxConnections = from.maxConnections;
            maxUnregistered = from.maxUnregistered;
            maxUnregisteredOfAddress = from.maxUnregisteredOfAddress;
            ioThreads = from.ioThreads;
        }

        TransportOptions finish() {
            return new TransportOptions(
                    maxFrameBytes,
                    maxPendingRequests,
                    writeIdle,
                    readIdle,
                    connectTimeout,
                    writeBufferLow,
                    writeBufferHigh,
                    slowReaderGrace,
                    maxConnections,
                    maxUnregistered,
                    maxUnregisteredOfAddress,
                    ioThreads);
        }
    }

    private static void requirePositive(String name, int value) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " is positive, got " + value);
        }
    }

    private static void requirePositive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " is positive, got " + value);
        }
    }
}
