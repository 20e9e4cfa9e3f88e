package io.txn.spring.autoconfigure;

import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.action.Action;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.FenceTransaction;
import io.txn.client.fence.JdbcFenceTransaction;
import io.txn.client.saga.Retry;
import io.txn.client.saga.Saga;
import io.txn.client.saga.SagaBuilder;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaStep;
import io.txn.client.saga.Sagas;
import io.txn.client.saga.Signature;
import io.txn.client.saga.Started;
import io.txn.client.saga.StepMethod;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * An application without Spring that has the steps of a saga: it takes money from one account and gives it to another one. Stands still where it is told to, to be killed there. As a process: the
 * coordinator's port; URL, user and password of a database; {@code take}, {@code give} or {@code untake}; to whom alice's money goes; how long a step may take, in milliseconds; a file that ends the
 * standstill.
 */
final class SagaPayer implements AutoCloseable {

    /** @param to nobody of that name is refused */
    record Transfer(String from, String to, int amount) {}

    static final class NobodyException extends Exception {

        private static final long serialVersionUID = 1L;

        NobodyException(String name) {
            super("nobody is called " + name);
        }
    }

    private final TxnClient client;
    private final Sagas sagas;
    private final SagaDefinition<Transfer, String> transfers;
    private final String standsStillIn;
    private final @Nullable Path goesOnWith;
    private final AtomicInteger failuresLeft;
    /** The connection of the local transaction that the thread is in. */
    private final ThreadLocal<Connection> local = new ThreadLocal<>();

    /** One that never stands still. */
    SagaPayer(int port, DataSource dataSource, Duration within, int failures) {
        this(port, dataSource, "nowhere", within, failures, null);
    }

    /**
     * @param within how long a step may take
     * @param failures how often what undoes the first step fails before it does not
     * @param goesOnWith a file that ends the standstill; null: nothing does
     */
    SagaPayer(
            int port,
            DataSource dataSource,
            String standsStillIn,
            Duration within,
            int failures,
            @Nullable Path goesOnWith) {
        this.standsStillIn = standsStillIn;
        this.goesOnWith = goesOnWith;
        this.failuresLeft = new AtomicInteger(failures);
        client = TxnClient.start(
                TxnClientOptions.of("saga-payer").withConnectWait(Duration.ofSeconds(60)),
                AddressListLocator.of(List.of("127.0.0.1:" + port)));
        sagas = new Sagas(client.sagas(), client.resources(), ended -> {});
        FenceTransaction transaction = noted(new JdbcFenceTransaction(dataSource));
        Action.Fenced fenced =
                new Action.Fenced(Fence.of(dataSource, FenceOptions.DEFAULTS), transaction, transaction, transaction);
        Steps steps = new Steps();
        step("take", fenced, new StepMethod() {
            @Override
            public Object call(List<?> given) throws Throwable {
                return steps.take((String) given.get(0), (Integer) given.get(1));
            }

            @Override
            public void compensate(List<?> given) throws Throwable {
                steps.untake((String) given.get(0), (Integer) given.get(1), (String) given.get(2));
            }
        });
        step("give", fenced, new StepMethod() {
            @Override
            public Object call(List<?> given) throws Throwable {
                return steps.give((String) given.get(0), (Integer) given.get(1));
            }

            @Override
            public void compensate(List<?> given) throws Throwable {
                steps.ungive((String) given.get(0), (Integer) given.get(1));
            }
        });
        transfers = transfers(within);
        sagas.register(transfers);
    }

    private void step(String name, Action.Fenced fenced, StepMethod method) {
        try {
            Signature signature = Signature.of(Steps.class.getMethod(name, String.class, int.class));
            sagas.register(signature, Steps.class, method, fenced);
        } catch (NoSuchMethodException e) {
            throw new AssertionError(e);
        }
    }

    private static SagaDefinition<Transfer, String> transfers(Duration within) {
        SagaBuilder<Transfer> saga = Saga.define("transfer", 1, Transfer.class);
        Retry soon = Retry.times(1_000).from(Duration.ofMillis(100)).upTo(Duration.ofMillis(200));
        saga.step("take", Saga.call(Steps.class, Steps::take, saga.input(Transfer::from), saga.input(Transfer::amount)))
                .within(within)
                .retry(soon);
        return saga.returns(saga.step(
                        "give",
                        Saga.call(Steps.class, Steps::give, saga.input(Transfer::to), saga.input(Transfer::amount)))
                .within(within)
                .retry(soon)
                .result());
    }

    /** What the saga calls. */
    public final class Steps {

        @SagaStep(name = "payer.take", compensation = "untake")
        public String take(String name, int amount) throws SQLException {
            change(-amount, name);
            standStill("take");
            return "taken from " + name;
        }

        public void untake(String name, int amount, String result) throws SQLException {
            if (!result.equals("taken from " + name)) {
                throw new IllegalStateException("it is not known what was taken: " + result);
            }
            change(amount, name);
            standStill("untake");
            if (failuresLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IllegalStateException("not today");
            }
        }

        @SagaStep(name = "payer.give", compensation = "ungive", refusals = NobodyException.class)
        public String give(String name, int amount) throws SQLException, NobodyException {
            if (change(amount, name) == 0) {
                throw new NobodyException(name);
            }
            standStill("give");
            return "given to " + name;
        }

        public void ungive(String name, int amount) throws SQLException {
            change(-amount, name);
        }
    }

    /** Remembers the connection, for work that is not handed it. */
    private FenceTransaction noted(FenceTransaction inner) {
        return new FenceTransaction() {
            @Override
            public boolean isOpen() {
                return inner.isOpen();
            }

            @Override
            public <T> T execute(Work<T> work) throws Throwable {
                return inner.execute(connection -> {
                    local.set(connection);
                    return work.run(connection);
                });
            }

            @Override
            public <T> T executeApart(Work<T> work) throws Throwable {
                return inner.executeApart(work);
            }
        };
    }

    private int change(int by, String name) throws SQLException {
        try (PreparedStatement statement =
                local.get().prepareStatement("UPDATE account SET balance = balance + ? WHERE name = ?")) {
            statement.setInt(1, by);
            statement.setString(2, name);
            return statement.executeUpdate();
        }
    }

    private void standStill(String where) {
        if (standsStillIn.equals(where)) {
            System.out.println("in " + where);
            if (goesOnWith != null) {
                Await.until("it may go on", Duration.ofSeconds(90), () -> Files.exists(goesOnWith));
                return;
            }
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Has alice pay. */
    Started<String> start(String to, int amount) {
        return sagas.start(transfers, new Transfer("alice", to, amount));
    }

    /** What becomes of one that was started here or elsewhere. */
    Started<String> find(String xid) {
        return sagas.find(new Xid(xid), transfers);
    }

    /** How many of its failures have not happened yet. */
    int failuresLeft() {
        return failuresLeft.get();
    }

    @Override
    public void close() {
        client.close();
    }

    public static void main(String[] arguments) throws InterruptedException {
        DataSource dataSource = new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]);
        Path goesOnWith = arguments.length > 7 ? Path.of(arguments[7]) : null;
        SagaPayer payer = new SagaPayer(
                Integer.parseInt(arguments[0]),
                dataSource,
                arguments[4],
                Duration.ofMillis(Long.parseLong(arguments[6])),
                0,
                goesOnWith);
        System.out.println("started " + payer.start(arguments[5], 10).xid().value());
        new CountDownLatch(1).await();
    }
}
