package io.txn.test.frameworks;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** The application of {@link PausedUndoIT}: its transaction changes two rows and fails once it is asked nothing more. */
final class PausedUndoProcess {

    private PausedUndoProcess() {}

    /** @param arguments coordinator, JDBC URL, user, password */
    public static void main(String[] arguments) throws Throwable {
        DriverManagerDataSource plain = new DriverManagerDataSource(arguments[1], arguments[2], arguments[3]);
        try (TxnClient client =
                TxnClient.start(TxnClientOptions.of("paused"), AddressListLocator.of(List.of(arguments[0])))) {
            AtDataSource accounts = AtDataSource.wrap(
                    plain,
                    AtOptions.DEFAULTS.withPhaseTwoWaitMax(Duration.ofSeconds(60)),
                    client.contexts(),
                    client.resources());
            accounts.prepare();
            GlobalTransactionOptions options =
                    GlobalTransactionOptions.named("paused").withTimeout(Duration.ofSeconds(3));
            client.transactions().execute(options, () -> {
                try (Connection connection = accounts.getConnection()) {
                    connection.setAutoCommit(false);
                    try (Statement statement = connection.createStatement()) {
                        statement.executeUpdate("UPDATE account SET amount = 101 WHERE id = 1");
                        statement.executeUpdate("UPDATE account SET amount = 201 WHERE id = 2");
                    }
                    connection.commit();
                }
                System.out.println("written "
                        + Objects.requireNonNull(client.contexts().current()).xid());
                new CountDownLatch(1).await();
                return null;
            });
        }
    }
}
