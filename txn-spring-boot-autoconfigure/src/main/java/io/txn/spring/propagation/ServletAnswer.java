package io.txn.spring.propagation;

import io.txn.client.TransactionContext;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.web.util.WebUtils;

/**
 * The answer of a participant over HTTP. Its headers say at the end what became of the work, so they are kept back until then where that is possible: flushes
 * before the end of the handler wait, unless it works asynchronously. Where the headers leave earlier, because there is more to say than the server's buffer holds or an event is sent, they say only
 * what cannot change any more: nothing, as long as nothing was kept. Whoever gets the answer does not see its end before the work on other threads has ended: an answer
 * of known length keeps its last byte until then. Thread-safe.
 */
final class ServletAnswer extends HttpServletResponseWrapper {

    private static final int NONE = -1;

    private final Incoming incoming;
    private final TransactionContext context;
    private final String entry;
    private final ReentrantLock writing = new ReentrantLock();
    private volatile boolean inHandler;
    private volatile boolean async;
    private volatile boolean over;
    private boolean flushWanted;
    private boolean lengthKnown;
    private boolean listened;
    private @Nullable Stream stream;
    private @Nullable PrintWriter writer;
    private @Nullable Chars chars;
    private volatile @Nullable IOException brokenOff;

    ServletAnswer(HttpServletResponse response, Incoming incoming, TransactionContext context, String entry) {
        super(response);
        this.incoming = incoming;
        this.context = context;
        this.entry = entry;
    }

    TransactionContext context() {
        return context;
    }

    String entry() {
        return entry;
    }

    boolean isOver() {
        return over;
    }

    /** The response that a dispatch is to be handled with: {@code given}, which is or stands around this one, or this. */
    HttpServletResponse within(HttpServletResponse given) {
        return WebUtils.getNativeResponse(given, ServletAnswer.class) == null ? this : given;
    }

    /** A handler begins to work, at first or when what was asynchronous goes on in the container. */
    void dispatched() {
        async = false;
        inHandler = true;
    }

    /** The handler goes on on other threads. */
    void isAsync() {
        async = true;
    }

    /** The handler returned, and goes on on other threads. */
    void goesOn() throws IOException {
        writing.lock();
        try {
            inHandler = false;
            if (flushWanted && !isCommitted()) {
                saySoFar();
                super.flushBuffer();
            }
        } finally {
            writing.unlock();
        }
    }

    /**
     * Nothing will be said after that. Waits for what was handed to other threads.
     *
     * @throws IOException when the answer has to break off, each time: who tries again would end it well
     */
    void over() throws IOException {
        if (over) {
            requireWhole();
            return;
        }
        incoming.answers(context, entry);
        writing.lock();
        try {
            if (over) {
                requireWhole();
                return;
            }
            try {
                if (isCommitted()) {
                    incoming.checkTold(context, entry);
                } else {
                    incoming.answer(context, super::setHeader);
                }
            } catch (IOException e) {
                brokenOff = e;
                throw e;
            } finally {
                over = true;
            }
            if (stream != null) {
                stream.kept.release();
            }
            if (chars != null) {
                chars.kept.release();
            }
        } finally {
            writing.unlock();
        }
    }

    private void requireWhole() throws IOException {
        IOException broken = brokenOff;
        if (broken != null) {
            throw new IOException(broken.getMessage(), broken);
        }
    }

    /** For an end that the container made by itself, too late to be waited for. */
    AsyncListener ending() {
        return (ServletArrival.End) event -> {
            if (!over) {
                over = true;
                incoming.answersNow(context, entry);
            }
        };
    }

    private void saySoFar() {
        if (!over && !isCommitted()) {
            incoming.answerSoFar(context, super::setHeader);
        }
    }

    /** Some servers send errors and redirects at once. */
    private void say() {
        if (!isCommitted()) {
            incoming.answers(context, entry);
            incoming.answer(context, super::setHeader);
        }
    }

    /** Whether to wait with a flush. */
    private boolean waits() {
        if (inHandler && !async && !over && !isCommitted()) {
            flushWanted = true;
            return true;
        }
        saySoFar();
        return false;
    }

    private boolean keepsLast() {
        return lengthKnown && !over && !listened;
    }

    private void length(@Nullable String header) {
        if ("Content-Length".equalsIgnoreCase(header)) {
            lengthKnown = true;
        }
    }

    @Override
    public void setContentLength(int length) {
        lengthKnown = length >= 0;
        super.setContentLength(length);
    }

    @Override
    public void setContentLengthLong(long length) {
        lengthKnown = length >= 0;
        super.setContentLengthLong(length);
    }

    @Override
    public void setHeader(String name, String value) {
        length(name);
        super.setHeader(name, value);
    }

    @Override
    public void addHeader(String name, String value) {
        length(name);
        super.addHeader(name, value);
    }

    @Override
    public void setIntHeader(String name, int value) {
        length(name);
        super.setIntHeader(name, value);
    }

    @Override
    public void addIntHeader(String name, int value) {
        length(name);
        super.addIntHeader(name, value);
    }

    @Override
    public void reset() {
        super.reset();
        forget();
        stream = null;
        writer = null;
        chars = null;
        lengthKnown = false;
    }

    @Override
    public void resetBuffer() {
        super.resetBuffer();
        forget();
    }

    private void forget() {
        if (stream != null) {
            stream.kept.forget();
        }
        if (chars != null) {
            chars.kept.forget();
        }
        flushWanted = false;
    }

    @Override
    public ServletOutputStream getOutputStream() throws IOException {
        Stream now = stream;
        if (now == null) {
            now = new Stream(super.getOutputStream());
            stream = now;
        }
        return now;
    }

    @Override
    public PrintWriter getWriter() throws IOException {
        PrintWriter now = writer;
        if (now == null) {
            chars = new Chars(super.getWriter());
            now = new PrintWriter(chars);
            writer = now;
        }
        return now;
    }

    @Override
    public void flushBuffer() throws IOException {
        writing.lock();
        try {
            if (!waits()) {
                super.flushBuffer();
            }
        } finally {
            writing.unlock();
        }
    }

    @Override
    public void sendError(int status) throws IOException {
        say();
        forget();
        super.sendError(status);
    }

    @Override
    public void sendError(int status, String message) throws IOException {
        say();
        forget();
        super.sendError(status, message);
    }

    @Override
    public void sendRedirect(String location) throws IOException {
        say();
        forget();
        super.sendRedirect(location);
    }

    /** Writes a value that was kept, or so many. */
    private interface Writes {
        void write(int what) throws IOException;
    }

    /** Flushes. */
    private interface Flushes {
        void flush() throws IOException;
    }

    /** What bytes and characters have in common: of an answer of known length the last one is kept back. */
    private final class Kept {

        private final Writes one;
        private final Flushes all;
        private int last = NONE;

        Kept(Writes one, Flushes all) {
            this.one = one;
            this.all = all;
        }

        void forget() {
            last = NONE;
        }

        void release() throws IOException {
            if (last != NONE) {
                int held = last;
                last = NONE;
                one.write(held);
            }
        }

        /**
         * Writes {@code count} of them, or all but the last.
         *
         * @param first writes so many from the first on
         */
        void write(int count, Writes first, IntSupplier lastOne) throws IOException {
            if (count == 0) {
                return;
            }
            writing.lock();
            try {
                saySoFar();
                release();
                int kept = keepsLast() ? 1 : 0;
                first.write(count - kept);
                if (kept > 0) {
                    last = lastOne.getAsInt();
                }
            } finally {
                writing.unlock();
            }
        }

        void flush() throws IOException {
            writing.lock();
            try {
                if (!waits()) {
                    all.flush();
                }
            } finally {
                writing.unlock();
            }
        }
    }

    /** Bytes. */
    private final class Stream extends ServletOutputStream {

        private final ServletOutputStream delegate;
        private final Kept kept;

        Stream(ServletOutputStream delegate) {
            this.delegate = delegate;
            this.kept = new Kept(delegate::write, delegate::flush);
        }

        @Override
        public boolean isReady() {
            return delegate.isReady();
        }

        @Override
        public void setWriteListener(WriteListener listener) {
            listened = true;
            delegate.setWriteListener(listener);
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            kept.write(count, some -> delegate.write(bytes, from, some), () -> bytes[from + count - 1] & 0xff);
        }

        @Override
        public void flush() throws IOException {
            kept.flush();
        }

        /** The container closes it when all is over. */
        @Override
        public void close() throws IOException {
            flush();
        }
    }

    /** Characters. */
    private final class Chars extends FilterWriter {

        private final Kept kept;

        Chars(Writer delegate) {
            super(delegate);
            this.kept = new Kept(delegate::write, delegate::flush);
        }

        @Override
        public void write(int value) throws IOException {
            write(new char[] {(char) value}, 0, 1);
        }

        @Override
        public void write(String text, int from, int count) throws IOException {
            kept.write(count, some -> out.write(text, from, some), () -> text.charAt(from + count - 1));
        }

        @Override
        public void write(char[] text, int from, int count) throws IOException {
            kept.write(count, some -> out.write(text, from, some), () -> text[from + count - 1]);
        }

        @Override
        public void flush() throws IOException {
            kept.flush();
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
