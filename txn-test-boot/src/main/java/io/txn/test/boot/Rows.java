package io.txn.test.boot;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.scheduling.annotation.Async;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/** The rows of this application. */
@Component
class Rows {

    private final JdbcTemplate jdbc;
    private final ContextCarrier contexts;

    Rows(JdbcTemplate jdbc, ContextCarrier contexts) {
        this.jdbc = jdbc;
        this.contexts = contexts;
    }

    /** Inserts a row; the global transaction in which it did. */
    @Transactional
    public String insert(String note) {
        jdbc.update("INSERT INTO note (text) VALUES (?)", note);
        @Nullable TransactionContext context = contexts.current();
        return context == null ? "none" : context.xid().value();
    }

    /** The same on another thread; nobody but the global transaction waits for it. */
    @Async
    @Transactional
    public CompletableFuture<String> insertLater(String note) {
        return CompletableFuture.completedFuture(insert(note));
    }
}
