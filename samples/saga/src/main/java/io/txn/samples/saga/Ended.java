package io.txn.samples.saga;

import io.txn.client.saga.SagaEnded;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Notes how each order ended. It may be told twice. */
@Component
class Ended {

    private static final Logger log = LoggerFactory.getLogger(Ended.class);

    private final JdbcClient database;

    Ended(JdbcClient database) {
        this.database = database;
    }

    @EventListener
    void on(SagaEnded<?> ended) {
        log.info("order {} is {}", ended.xid(), ended.done() ? "done" : "undone");
        database.sql("MERGE INTO ended KEY (xid) VALUES (:xid, :done)")
                .param("xid", ended.xid().value())
                .param("done", ended.done())
                .update();
    }

    @org.jspecify.annotations.Nullable
    Boolean of(String xid) {
        return database.sql("SELECT done FROM ended WHERE xid = :xid")
                .param("xid", xid)
                .query(Boolean.class)
                .optional()
                .orElse(null);
    }
}
