package io.txn.spring.propagation;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.SocketTimeoutException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.ReflectionUtils;

/**
 * What is read of an answer after its headers. It ends with its transaction, however slowly it drips, and one that breaks off marks the transaction if something may have been
 * kept. For one thread at a time.
 */
final class AnswerBody extends InputStream {

    private static final Logger log = LoggerFactory.getLogger(AnswerBody.class);

    private static final int CHUNK = 4_096;
    private static final int NO_CONTENT = 204;
    private static final int NOT_MODIFIED = 304;
    private static final long UNKNOWN = -1;

    private final InputStream delegate;
    private final Outgoing.Call call;
    private final Clock clock;
    private final long expected;
    private long got;
    private boolean aborted;

    /** Ends a read that stands still. */
    @FunctionalInterface
    interface Clock {

        /** Nothing but the client's own time limits. */
        Clock NONE = (left, body) -> null;

        Alarm.@Nullable Set set(Duration left, InputStream body);
    }

    /** @param expected how many bytes there are to be; negative when that is not known */
    AnswerBody(InputStream delegate, Outgoing.Call call, Clock clock, long expected) {
        this.delegate = delegate;
        this.call = call;
        this.clock = clock;
        this.expected = expected;
    }

    /** How many bytes a body has whose headers say this; negative when they do not. */
    static long expected(String method, int status, long length, boolean encoded) {
        boolean bodiless = method.equals("HEAD") || status == NO_CONTENT || status == NOT_MODIFIED;
        return bodiless || encoded ? UNKNOWN : length;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int from, int most) throws IOException {
        try {
            return readOn(into, from, most);
        } catch (IOException e) {
            call.brokeOff(e);
            throw e;
        }
    }

    private int readOn(byte[] into, int from, int most) throws IOException {
        Duration left = checked();
        int count;
        Alarm.Set set = left == null || delegate.available() > 0 ? null : clock.set(left, delegate);
        try {
            count = delegate.read(into, from, most);
        } catch (IOException e) {
            checked(); // better than what a client makes of being stopped
            throw e;
        } finally {
            if (set != null) {
                set.close();
            }
        }
        if (count >= 0) {
            got += count;
            checked();
        } else if (got < expected) {
            // HttpURLConnection does not say so.
            throw new EOFException("the answer has " + got + " bytes of " + expected);
        }
        return count;
    }

    private @Nullable Duration checked() throws IOException {
        Duration left = call.left();
        if (left != null && left.toMillis() < 1) {
            abort();
            throw new SocketTimeoutException("the global transaction had no time left before the end of the answer");
        }
        return left;
    }

    /** Closing would wait for the rest, with some clients. */
    private void abort() {
        if (aborted) {
            return;
        }
        aborted = true;
        try {
            Method abort = ReflectionUtils.findMethod(delegate.getClass(), "abort");
            if (abort != null) {
                abort.invoke(delegate);
            } else {
                delegate.close();
            }
        } catch (IOException | ReflectiveOperationException | RuntimeException e) {
            log.debug("the rest of an answer could not be given up", e);
        }
    }

    /** Reads what is left, since the client would do so when it closes, and would not look at the clock. */
    void drain() {
        byte[] rest = new byte[CHUNK];
        try {
            while (readOn(rest, 0, rest.length) >= 0) {
                // whoever did not want the rest has what the headers say of the work
            }
        } catch (IOException e) {
            log.debug("the rest of an answer could not be read", e);
        }
    }

    @Override
    public int available() throws IOException {
        return delegate.available();
    }

    @Override
    public void close() throws IOException {
        if (!aborted) {
            delegate.close();
        }
    }
}
