package io.txn.test.boot;

import io.txn.spring.GlobalTransactional;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.springframework.stereotype.Service;

/** The business action. */
@Service
class Purchase {

    private final Rows rows;
    private final Peers peers;

    Purchase(Rows rows, Peers peers) {
        this.rows = rows;
        this.peers = peers;
    }

    /** Rows here, on another thread, and at the peer by each client; the transactions in which they were written. */
    @GlobalTransactional(name = "purchase")
    public Map<String, String> buy(String note, int peer, boolean fail) {
        String own = rows.insert(note + "-here");
        CompletableFuture<String> later = rows.insertLater(note + "-async");
        Map<String, String> transactions = peers.insert(peer, note);
        transactions.put("here", own);
        if (fail) {
            later.join(); // a rollback does not wait for it, and would be tried again
            throw new IllegalStateException("wished for");
        }
        return transactions;
    }
}
