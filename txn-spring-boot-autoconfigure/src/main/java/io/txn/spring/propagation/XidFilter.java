package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Binds the XID that a request carries to the thread that handles it, as a participant, and unbinds it whatever the handler does. The answer says whether
 * something was kept, and whether the transaction may only be rolled back.
 */
public final class XidFilter extends OncePerRequestFilter {

    private final ContextCarrier contexts;
    private final Incoming incoming;

    public XidFilter(ContextCarrier contexts, Incoming incoming) {
        this.contexts = contexts;
        this.incoming = incoming;
    }

    @Override
    @SuppressWarnings("try") // the scope is opened for its closing
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        TransactionContext context = incoming.context(new Arrival(name -> values(request, name), RealPeer.of(request)));
        if (context == null) {
            chain.doFilter(request, response);
            return;
        }
        String entry = request.getMethod() + ' ' + request.getRequestURI();
        Answer answer = new Answer(response, context, entry);
        try (ContextCarrier.Scope scope = contexts.bind(context)) {
            chain.doFilter(request, answer);
        } catch (Throwable failure) {
            incoming.failed(context, entry, failure);
            throw failure;
        } finally {
            if (request.isAsyncStarted()) {
                answer.sayWhatIsKnown(); // whoever answers later says the rest
            } else {
                answer.say();
            }
        }
    }

    private static List<String> values(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        return values == null ? List.of() : Collections.list(values);
    }

    /** Says what is known when the answer begins to leave, and again, if that is not too late, at the end. */
    private final class Answer extends HttpServletResponseWrapper {

        private final TransactionContext context;
        private final String entry;

        Answer(HttpServletResponse response, TransactionContext context, String entry) {
            super(response);
            this.context = context;
            this.entry = entry;
        }

        void say() {
            if (!isCommitted()) {
                incoming.answers(context, entry);
                sayWhatIsKnown();
            }
        }

        void sayWhatIsKnown() {
            if (!isCommitted()) {
                incoming.answer(context, this::setHeader);
            }
        }

        @Override
        public ServletOutputStream getOutputStream() throws IOException {
            say();
            return super.getOutputStream();
        }

        @Override
        public PrintWriter getWriter() throws IOException {
            say();
            return super.getWriter();
        }

        @Override
        public void flushBuffer() throws IOException {
            say();
            super.flushBuffer();
        }

        @Override
        public void sendError(int status) throws IOException {
            say();
            super.sendError(status);
        }

        @Override
        public void sendError(int status, String message) throws IOException {
            say();
            super.sendError(status, message);
        }

        @Override
        public void sendRedirect(String location) throws IOException {
            say();
            super.sendRedirect(location);
        }
    }
}
