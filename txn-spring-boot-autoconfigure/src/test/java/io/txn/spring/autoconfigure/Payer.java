package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TransactionContext;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.action.Action;
import io.txn.client.action.ActionContext;
import io.txn.client.action.Actions;
import io.txn.client.action.Fencing;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.FenceTransaction;
import io.txn.client.fence.JdbcFenceTransaction;
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
 * An application without annotations that pays by TCC, and stands still where it is told to, to be killed there. As a process: the coordinator's port; URL, user and password of a
 * database; {@code try}, {@code confirm} or {@code cancel}.
 */
final class Payer implements AutoCloseable {

    private final TxnClient client;
    private final Actions actions;
    private final Action pay;
    private final String standsStillIn;
    private final @Nullable Path goesOnWith;
    private final AtomicInteger failuresLeft;
    /** The connection of the local transaction that the thread is in. */
    private final ThreadLocal<Connection> local = new ThreadLocal<>();

    Payer(int port, DataSource dataSource, String standsStillIn) {
        this(port, dataSource, standsStillIn, null, 0);
    }

    /**
     * @param goesOnWith a file that ends the standstill; null: nothing does
     * @param failures how often its cancel fails before it does not
     */
    Payer(int port, DataSource dataSource, String standsStillIn, @Nullable Path goesOnWith, int failures) {
        this.standsStillIn = standsStillIn;
        this.goesOnWith = goesOnWith;
        this.failuresLeft = new AtomicInteger(failures);
        client = TxnClient.start(
                TxnClientOptions.of("payer").withConnectWait(Duration.ofSeconds(60)),
                AddressListLocator.of(List.of("127.0.0.1:" + port)));
        actions = new Actions(client.transactions(), client.contexts(), client.resources());
        FenceTransaction transaction = noted(new JdbcFenceTransaction(dataSource));
        pay = Action.tcc(
                "payer/pay",
                List.of(new Action.Captured("name", String.class), new Action.Captured("amount", int.class)),
                Fencing.LOCAL,
                new Action.Fenced(Fence.of(dataSource, FenceOptions.DEFAULTS), transaction, transaction, transaction),
                new Action.Ends() {
                    @Override
                    public boolean confirm(ActionContext context, List<?> captured) throws SQLException {
                        change("UPDATE account SET frozen = frozen - ? WHERE name = ?", captured);
                        standStill("confirm");
                        return true;
                    }

                    @Override
                    public boolean cancel(ActionContext context, List<?> captured, Object result) throws SQLException {
                        change("UPDATE account SET frozen = frozen - ? WHERE name = ?", captured);
                        change("UPDATE account SET balance = balance + ? WHERE name = ?", captured);
                        standStill("cancel");
                        if (failuresLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                            throw new IllegalStateException("not today");
                        }
                        return true;
                    }
                });
        actions.register(pay);
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

    private void change(String sql, List<?> captured) throws SQLException {
        try (PreparedStatement statement = local.get().prepareStatement(sql)) {
            statement.setInt(1, (Integer) captured.get(1));
            statement.setString(2, (String) captured.get(0));
            statement.executeUpdate();
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

    void pay(String name, int amount, Duration timeout, boolean keep) throws Throwable {
        pay(name, amount, timeout, keep, () -> {});
    }

    /** @param last done when everything is, and nothing is decided */
    void pay(String name, int amount, Duration timeout, boolean keep, Runnable last) throws Throwable {
        client.transactions().execute(GlobalTransactionOptions.named(name).withTimeout(timeout), () -> {
            tryToPay(name, amount);
            last.run();
            if (!keep) {
                throw new IllegalStateException("no");
            }
            return "";
        });
    }

    private void tryToPay(String name, int amount) throws Throwable {
        List<Object> captured = List.of(name, amount);
        actions.run(pay, captured, context -> {
            change("UPDATE account SET balance = balance - ? WHERE name = ?", captured);
            change("UPDATE account SET frozen = frozen + ? WHERE name = ?", captured);
            standStill("try");
            return "";
        });
    }

    /** Pays in a transaction that somebody else opened. */
    @SuppressWarnings("try")
    void join(String xid, String name, int amount) throws Throwable {
        try (ContextCarrier.Scope scope = client.contexts().bind(TransactionContext.participant(new Xid(xid)))) {
            tryToPay(name, amount);
        }
    }

    /** The transaction that it works in, for others to join. */
    String xid() {
        return client.contexts().current().xid().value();
    }

    @Override
    public void close() {
        client.close();
    }

    public static void main(String[] arguments) throws Throwable {
        DataSource dataSource = new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]);
        String where = arguments[4];
        Path goesOnWith = arguments.length > 5 ? Path.of(arguments[5]) : null;
        Payer payer = new Payer(Integer.parseInt(arguments[0]), dataSource, where, goesOnWith, 0);
        payer.pay(where, 10, Duration.ofMinutes(5), !where.equals("cancel"));
        if (goesOnWith != null) {
            // Who is told "committed, to be carried out" must not leave in the middle of it.
            new CountDownLatch(1).await();
        }
    }
}
