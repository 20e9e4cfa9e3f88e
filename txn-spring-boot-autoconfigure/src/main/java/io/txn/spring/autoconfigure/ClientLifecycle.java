package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import org.springframework.context.SmartLifecycle;

/**
 * When the client has to be connected: in the first phase of a context whose beans are made, so a start that has no coordinator fails before web server, listeners and schedulers bring work.
 * And when it ends: in the last phase of a stopping context. Web server, listeners and schedulers have let their work end in earlier phases, so
 * nobody begins global transactions any more; data sources are closed later, when beans are destroyed, so branches can still be finished.
 */
final class ClientLifecycle implements SmartLifecycle {

    private final TxnClient client;
    private volatile boolean running;

    ClientLifecycle(TxnClient client) {
        this.client = client;
    }

    /** The client connects since its bean was made. */
    @Override
    public void start() {
        client.awaitStarted();
        running = true;
    }

    @Override
    public void stop() {
        client.close();
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return Integer.MIN_VALUE;
    }

    /** From Spring 7 on a context can be paused and go on later; a closed client cannot, so it is left alone. */
    public boolean isPauseable() {
        return false;
    }
}
