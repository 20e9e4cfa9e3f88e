package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.protocol.Xid;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Binds the XID that a request carries to the thread that handles it, as a participant, and unbinds it whatever the handler does. A header
 * that holds no XID is ignored with a line of log: a stranger must not be able to turn it into an error.
 */
public final class XidFilter extends OncePerRequestFilter {

    private static final Logger log = LoggerFactory.getLogger(XidFilter.class);

    private final ContextCarrier contexts;

    public XidFilter(ContextCarrier contexts) {
        this.contexts = contexts;
    }

    @Override
    @SuppressWarnings("try") // the scope is opened for its closing
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws ServletException, IOException {
        Xid xid = xidOf(request.getHeader(XidHeader.NAME));
        if (xid == null) {
            chain.doFilter(request, response);
            return;
        }
        try (ContextCarrier.Scope scope = contexts.bind(TransactionContext.participant(xid))) {
            chain.doFilter(request, response);
        }
    }

    private static @Nullable Xid xidOf(@Nullable String header) {
        if (header == null || header.isBlank()) {
            return null;
        }
        String problem;
        try {
            Xid xid = new Xid(header.trim());
            if (xid.number() > 0) {
                return xid;
            }
            problem = "it does not end in a colon and a number";
        } catch (IllegalArgumentException e) {
            problem = e.getMessage();
        }
        // The text itself is a stranger's: it does not belong into a log.
        log.warn("ignored a {} header of {} characters that is no XID: {}", XidHeader.NAME, header.length(), problem);
        return null;
    }
}
