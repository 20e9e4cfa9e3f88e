package io.txn.coordinator.journal;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Real files whose record syncs can be held up, as on a very slow disk. */
final class GatedFiles extends DelegatingFiles {

    private volatile CountDownLatch gate = new CountDownLatch(0);
    private volatile CountDownLatch blocked = new CountDownLatch(1);

    void closeGate() {
        blocked = new CountDownLatch(1);
        gate = new CountDownLatch(1);
    }

    void openGate() {
        gate.countDown();
    }

    void awaitBlockedSync() throws InterruptedException {
        if (!blocked.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("nobody synced");
        }
    }

    @Override
    void sync(OpenFile file, boolean metadata) throws IOException {
        if (!metadata) {
            CountDownLatch now = gate;
            if (now.getCount() > 0) {
                blocked.countDown();
            }
            try {
                if (!now.await(Appended.PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("the gate stayed closed");
                }
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
        file.sync(metadata);
    }
}
