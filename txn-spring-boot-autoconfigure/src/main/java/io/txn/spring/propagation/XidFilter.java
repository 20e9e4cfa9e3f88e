package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.function.Supplier;
import org.springframework.web.context.request.async.WebAsyncUtils;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Binds the XID that a request carries to the thread that handles it, as a participant, and unbinds it whatever the handler does. The answer says whether
 * something was kept, and whether the transaction may only be rolled back. A request that is handled asynchronously is one request until it is completed: each dispatch of it comes by here,
 * and works in the same transaction.
 */
public final class XidFilter extends OncePerRequestFilter {

    /** Attribute of a request that brought a transaction: its {@link ServletAnswer}. */
    static final String ENTRY = XidFilter.class.getName() + ".entry";

    private final ContextCarrier contexts;
    private final Supplier<Incoming> incoming;

    /** @param incoming asked for the first request, so that making this starts nothing */
    public XidFilter(ContextCarrier contexts, Supplier<Incoming> incoming) {
        this.contexts = contexts;
        this.incoming = incoming;
    }

    @Override
    protected boolean shouldNotFilterAsyncDispatch() {
        return false;
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        if (request.getAttribute(ENTRY) instanceof ServletAnswer answer && isAsyncDispatch(request)) {
            handled(answer, request, answer.within(response), chain);
            return;
        }
        TransactionContext context =
                incoming.get().context(new Arrival(name -> values(request, name), RealPeer.of(request)));
        if (context == null) {
            chain.doFilter(request, response);
            return;
        }
        String entry = request.getMethod() + ' ' + request.getRequestURI();
        ServletAnswer answer = new ServletAnswer(response, incoming.get(), context, entry);
        request.setAttribute(ENTRY, answer);
        WebAsyncUtils.getAsyncManager(request)
                .registerCallableInterceptor(ENTRY, new ServletTasks(contexts, context, answer));
        handled(answer, new ServletArrival(request, answer), answer, chain);
    }

    @SuppressWarnings("try") // the scope is opened for its closing
    private void handled(
            ServletAnswer answer, HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        answer.dispatched();
        try (ContextCarrier.Scope scope = contexts.bind(answer.context())) {
            chain.doFilter(request, response);
        } catch (Throwable failure) {
            incoming.get().failed(answer.context(), answer.entry(), failure);
            try {
                answer.over();
            } catch (IOException brokenOff) {
                failure.addSuppressed(brokenOff);
            }
            throw failure;
        }
        if (request.isAsyncStarted()) {
            answer.goesOn(); // whoever answers later says the rest
        } else {
            answer.over();
        }
    }

    private static List<String> values(HttpServletRequest request, String name) {
        Enumeration<String> values = request.getHeaders(name);
        return values == null ? List.of() : Collections.list(values);
    }
}
