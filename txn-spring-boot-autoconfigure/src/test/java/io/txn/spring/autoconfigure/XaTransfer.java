package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TransactionContext;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.client.jdbc.XaReconciler;
import io.txn.protocol.Xid;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * An application that moves money from one database to another, both in XA mode, and stands still where it is told to, to be killed there. As a process: the coordinator's port; URL, user and
 * password of each database; {@code prepared}, {@code held} or {@code commit}.
 */
final class XaTransfer implements AutoCloseable {

    private final TxnClient client;
    private final List<AtDataSource> sources;
    private final String standsStillIn;

    XaTransfer(int port, DataSource from, DataSource to, String standsStillIn) {
        this.standsStillIn = standsStillIn;
        client = TxnClient.start(
                TxnClientOptions.of("transfer").withConnectWait(Duration.ofSeconds(60)),
                AddressListLocator.of(List.of("127.0.0.1:" + port)));
        sources = List.of(xa(from), xa(to));
    }

    private AtDataSource xa(DataSource physical) {
        DataSource forPhaseTwo = new DelegatingDataSource(physical) {
            @Override
            public Connection getConnection() throws SQLException {
                standStill("commit");
                return super.getConnection();
            }
        };
        AtDataSource source = AtDataSource.wrap(
                physical, AtOptions.DEFAULTS.withXa(true), client.contexts(), client.resources(), forPhaseTwo);
        source.prepare();
        return source;
    }

    private void standStill(String where) {
        if (standsStillIn.equals(where)) {
            System.out.println("in " + where);
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Has somebody look after what is prepared. */
    void lookedAfterBy(XaReconciler reconciler) {
        sources.forEach(reconciler::add);
    }

    void move(String name, Duration timeout) throws Throwable {
        move(name, timeout, true, () -> standStill("prepared"));
    }

    /** @param last done when everything is, and nothing is decided */
    void move(String name, Duration timeout, boolean keep, Runnable last) throws Throwable {
        client.transactions().execute(GlobalTransactionOptions.named(name).withTimeout(timeout), () -> {
            change(0, -10);
            change(1, 10);
            last.run();
            if (!keep) {
                throw new IllegalStateException("no");
            }
            return "";
        });
    }

    /** Moves in a transaction that somebody else opened. */
    @SuppressWarnings("try")
    void join(String xid) {
        try (ContextCarrier.Scope scope = client.contexts().bind(TransactionContext.participant(new Xid(xid)))) {
            change(0, -10);
            change(1, 10);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Takes without giving: one local transaction.
     *
     * @param last as for {@link #move}
     */
    void take(String name, Duration timeout, Runnable last) throws Throwable {
        client.transactions().execute(GlobalTransactionOptions.named(name).withTimeout(timeout), () -> {
            change(0, -10);
            last.run();
            return "";
        });
    }

    private void change(int source, int by) throws SQLException {
        try (Connection connection = sources.get(source).getConnection();
                Statement statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE account SET amount = amount + " + by);
        }
    }

    @Override
    public void close() {
        client.close();
        sources.forEach(AtDataSource::close);
    }

    public static void main(String[] arguments) throws Throwable {
        String where = arguments[7];
        XaTransfer transfer = new XaTransfer(
                Integer.parseInt(arguments[0]),
                new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]),
                new DriverManagerDataSource(arguments[4], arguments[5], arguments[6]),
                where);
        if (where.equals("held")) {
            transfer.move("first", Duration.ofMinutes(5)); // its answers bring ids to name transactions by
            transfer.take(where, Duration.ofMinutes(5), () -> transfer.standStill("held"));
            return;
        }
        transfer.move(where, Duration.ofMinutes(5));
    }
}
