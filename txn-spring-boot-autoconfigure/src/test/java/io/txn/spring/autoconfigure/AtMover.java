package io.txn.spring.autoconfigure;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.protocol.TxnException;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * An application of AT mode that moves money and tokens between two databases as long as it is let, and takes a part of it back. As a process: the coordinator's port, how many threads work, and URL, user and password of each database; it is killed
 * whenever somebody likes. With no threads it only ends what others began.
 */
final class AtMover implements AutoCloseable {

    static final int ROWS = 60;

    private final TxnClient client;
    private final List<HikariDataSource> pools = new ArrayList<>();
    private final List<AtDataSource> sources = new ArrayList<>();
    private final AtomicLong kept = new AtomicLong();
    private final AtomicLong failed = new AtomicLong();

    AtMover(int port, DataSource... physical) {
        client = TxnClient.start(
                TxnClientOptions.of("mover")
                        .withConnectWait(Duration.ofSeconds(60))
                        .withStartWait(Duration.ofSeconds(120)),
                AddressListLocator.of(List.of("127.0.0.1:" + port)));
        for (DataSource one : physical) {
            HikariConfig config = new HikariConfig();
            config.setDataSource(one);
            config.setMaximumPoolSize(6);
            config.setConnectionTimeout(5_000);
            config.setInitializationFailTimeout(-1);
            HikariDataSource pool = new HikariDataSource(config);
            pools.add(pool);
            sources.add(source(pool, one));
        }
    }

    /** Its database may be down at the moment. */
    private AtDataSource source(DataSource pool, DataSource forPhaseTwo) {
        AtDataSource[] source = new AtDataSource[1];
        Await.until("the database is there", Duration.ofSeconds(120), () -> {
            try {
                source[0] = AtDataSource.wrap(
                        pool,
                        AtOptions.DEFAULTS.withLockWait(Duration.ofSeconds(1)),
                        client.contexts(),
                        client.resources(),
                        forPhaseTwo);
                source[0].prepare();
                return true;
            } catch (TxnException e) {
                return false;
            }
        });
        return source[0];
    }

    /** The tables that it works on, filled. */
    static void fill(TestDatabase database, boolean tokens) {
        database.execute(
                "CREATE TABLE account (id INT PRIMARY KEY, amount INT NOT NULL)",
                "CREATE TABLE ledger (id VARCHAR(40) PRIMARY KEY, amount INT NOT NULL)",
                "CREATE TABLE token (id INT PRIMARY KEY, note VARCHAR(20))");
        for (String table : tokens ? new String[] {"account", "token"} : new String[] {"account"}) {
            database.execute(IntStream.rangeClosed(1, ROWS)
                    .mapToObj(id -> "INSERT INTO " + table + " VALUES (" + id + ", 1000)")
                    .toArray(String[]::new));
        }
    }

    private void move(Random random) throws Throwable {
        int from = random.nextInt(2);
        int amount = 1 + random.nextInt(9);
        int row = 1 + random.nextInt(ROWS);
        int other = 1 + random.nextInt(ROWS);
        String id = UUID.randomUUID().toString();
        Duration timeout = Duration.ofMillis(1_000 + random.nextInt(7_000));
        client.transactions().execute(GlobalTransactionOptions.named("move").withTimeout(timeout), () -> {
            boolean gone = write(
                    from,
                    random,
                    "UPDATE account SET amount = amount - " + amount + " WHERE id = " + row,
                    "INSERT INTO ledger VALUES ('" + id + "', " + -amount + ")",
                    "DELETE FROM token WHERE id = " + other);
            if (random.nextInt(8) == 0) {
                Thread.sleep(random.nextInt(700));
            }
            write(
                    1 - from,
                    random,
                    gone
                            ? "INSERT INTO token VALUES (" + other + ", 'moved')"
                            : "UPDATE token SET note = 'seen' WHERE id = " + other,
                    "UPDATE account SET amount = amount + " + amount + " WHERE id = " + other,
                    "INSERT INTO ledger VALUES ('" + id + "', " + amount + ")");
            if (random.nextInt(4) == 0) {
                throw new IllegalStateException("changed my mind");
            }
            return "";
        });
    }

    /** One local transaction; whether its last statement changed anything. */
    private boolean write(int source, Random random, String... statements) throws SQLException {
        try (Connection connection = sources.get(source).getConnection()) {
            connection.setAutoCommit(false);
            int count = 0;
            try (Statement statement = connection.createStatement()) {
                for (String sql : statements) {
                    count = statement.executeUpdate(sql);
                    if (random.nextInt(5) == 0) {
                        Savepoint before = connection.setSavepoint();
                        statement.executeUpdate(
                                "UPDATE account SET amount = 0 WHERE id = " + (1 + random.nextInt(ROWS)));
                        connection.rollback(before);
                    }
                }
            } catch (SQLException e) {
                connection.rollback();
                throw e;
            }
            connection.commit();
            return count > 0;
        }
    }

    void work(long seed) {
        Random random = new Random(seed);
        while (true) {
            try {
                move(random);
                System.out.println("kept " + kept.incrementAndGet());
            } catch (Throwable e) {
                if (failed.incrementAndGet() % 50 == 1) {
                    System.out.println("failed " + failed + ": " + e);
                }
            }
        }
    }

    @Override
    public void close() {
        client.close();
        sources.forEach(AtDataSource::close);
        pools.forEach(HikariDataSource::close);
    }

    public static void main(String[] arguments) throws Exception {
        int threads = Integer.parseInt(arguments[1]);
        AtMover mover = new AtMover(
                Integer.parseInt(arguments[0]),
                new DriverManagerDataSource(arguments[2], arguments[3], arguments[4]),
                new DriverManagerDataSource(arguments[5], arguments[6], arguments[7]));
        System.out.println("works");
        for (int i = 0; i < threads; i++) {
            long seed = System.nanoTime() + i;
            new Thread(() -> mover.work(seed)).start();
        }
        Thread.currentThread().join();
    }
}
