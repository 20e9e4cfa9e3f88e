package io.txn.client.observation;

import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps the mistakes of an observer away from what is observed. Thread-safe as the observer is. */
record GuardedObserver(TxnObserver observer) implements TxnObserver {

    private static final Logger log = LoggerFactory.getLogger(TxnObserver.class);

    @Override
    public Span begin(Work work) {
        try {
            return new GuardedSpan(observer.begin(work));
        } catch (RuntimeException | LinkageError e) {
            forget(e);
            return Span.NONE;
        }
    }

    private static void forget(Throwable mistake) {
        log.debug("an observer failed, and what it observed goes on", mistake);
    }

    private record GuardedSpan(Span span) implements Span {

        private static void run(Runnable told) {
            try {
                told.run();
            } catch (RuntimeException | LinkageError e) {
                forget(e);
            }
        }

        @Override
        public void xid(Xid xid) {
            run(() -> span.xid(xid));
        }

        @Override
        public void branch(BranchId branch) {
            run(() -> span.branch(branch));
        }

        @Override
        public void outcome(String word) {
            run(() -> span.outcome(word));
        }

        @Override
        public void failed(Throwable cause) {
            run(() -> span.failed(cause));
        }

        @Override
        public void close() {
            run(span::close);
        }
    }
}
