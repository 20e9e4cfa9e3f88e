package io.txn.spring.autoconfigure;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.test.Await;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A process that commits one global transaction, and is to be killed in its second one. Arguments: the coordinator's port; URL, user and password of a database. */
final class DoomedApplication {

    private DoomedApplication() {}

    public static void main(String[] arguments) throws Throwable {
        DataSource plain = new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]);
        TxnClient client = TxnClient.start(
                TxnClientOptions.of("doomed").withConnectWait(Duration.ofSeconds(60)),
                AddressListLocator.of(List.of("127.0.0.1:" + arguments[0])));
        AtDataSource source = AtDataSource.wrap(plain, AtOptions.DEFAULTS, client.contexts(), client.resources());
        source.prepare();
        run(client, source, GlobalTransactionOptions.named("first"), 1);
        Await.until("the first one is finished", Duration.ofSeconds(60), () -> undoRows(plain) == 0);
        run(client, source, GlobalTransactionOptions.named("doomed").withTimeout(Duration.ofSeconds(6)), 2);
    }

    private static void run(TxnClient client, DataSource source, GlobalTransactionOptions options, int row)
            throws Throwable {
        client.transactions().execute(options, () -> {
            try (Connection connection = source.getConnection();
                    Statement statement = connection.createStatement()) {
                return statement.executeUpdate("UPDATE stock SET amount = amount - 1 WHERE id = " + row);
            }
        });
    }

    private static int undoRows(DataSource plain) {
        try (Connection connection = plain.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM undo_log")) {
            rows.next();
            return rows.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
