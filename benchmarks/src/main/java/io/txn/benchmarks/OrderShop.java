package io.txn.benchmarks;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/** Two databases with products and orders, of one server or of two, and the work that is measured. Thread-safe. */
final class OrderShop {

    /** Each thread has rows of its own: what waits for rows is measured elsewhere. */
    static final int PRODUCTS_OF_THREAD = 1_000;

    static final int MOST_THREADS = 64;

    private static final Pattern SERVER = Pattern.compile("(127\\.0\\.0\\.1:)(\\d+)");

    private static final String UPDATE = "UPDATE product SET stock = stock - ? WHERE id = ?";
    private static final String INSERT = "INSERT INTO orders (id, product, amount, note) VALUES (?, ?, ?, ?)";

    private static final String DELETE = "DELETE FROM tally WHERE id = ?";
    private static final String AGAIN = "INSERT INTO tally (id, amount) VALUES (?, ?)";

    private final List<TestDatabase> databases;
    private final String upsert;
    private final AtomicLong orders = new AtomicLong();
    private final AtomicLong written = new AtomicLong();

    OrderShop(TestDatabase first, TestDatabase second) {
        this.databases = List.of(first, second);
        for (TestDatabase database : databases) {
            database.execute(
                    "CREATE TABLE product (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, stock BIGINT NOT NULL)",
                    "CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, product BIGINT NOT NULL, amount INT NOT NULL, note"
                            + " VARCHAR(100))",
                    "CREATE TABLE tally (id BIGINT NOT NULL PRIMARY KEY, amount BIGINT NOT NULL)",
                    products(database.kind()),
                    "INSERT INTO tally (id, amount) SELECT id, 0 FROM product");
        }
        this.upsert = upsert(first.kind());
    }

    private static String upsert(DatabaseKind kind) {
        String insert = "INSERT INTO tally (id, amount) VALUES (?, ?)";
        return switch (kind) {
            case MARIADB -> insert + " ON DUPLICATE KEY UPDATE amount = VALUES(amount)";
            case POSTGRESQL -> insert + " ON CONFLICT (id) DO UPDATE SET amount = EXCLUDED.amount";
            case H2 -> "MERGE INTO tally (id, amount) KEY (id) VALUES (?, ?)";
        };
    }

    private static String products(DatabaseKind kind) {
        int number = MOST_THREADS * PRODUCTS_OF_THREAD;
        String numbers =
                switch (kind) {
                    case MARIADB -> "SELECT seq AS i FROM seq_0_to_" + (number - 1);
                    case POSTGRESQL -> "SELECT generate_series(0, " + (number - 1) + ") AS i";
                    case H2 -> "SELECT X AS i FROM SYSTEM_RANGE(0, " + (number - 1) + ")";
                };
        return "INSERT INTO product (id, name, stock) SELECT n.i, 'a product of the shop', 1000000000 FROM (" + numbers
                + ") AS n";
    }

    DatabaseKind kind() {
        return databases.get(0).kind();
    }

    List<TestDatabase> databases() {
        return databases;
    }

    /**
     * A pool for each of the two databases.
     *
     * @param route the port by which a server is reached, by its own
     */
    List<HikariDataSource> pools(IntUnaryOperator route, int connections) {
        List<HikariDataSource> pools = new ArrayList<>();
        for (TestDatabase database : databases) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(SERVER.matcher(database.jdbcUrl())
                    .replaceFirst(server -> server.group(1) + route.applyAsInt(Integer.parseInt(server.group(2)))));
            config.setUsername(database.user());
            config.setPassword(database.password());
            config.setMaximumPoolSize(connections);
            config.setMinimumIdle(connections);
            pools.add(new HikariDataSource(config));
        }
        return pools;
    }

    /** What is done in one transaction. */
    enum Work {
        UPDATE("one update", 1, 1),
        INSERT("one insert", 1, 1),
        // A row that is deleted has to be there for the next one.
        DELETE("one delete, and one insert of the same row", 1, 0),
        UPSERT("one upsert of a row that is there", 1, 0),
        INSERTS_100("batch of 100 inserts", 1, 100),
        INSERTS_1000("batch of 1,000 inserts", 1, 1_000),
        UPDATES_100("batch of 100 updates", 1, 100),
        UPDATES_1000("batch of 1,000 updates", 1, 1_000),
        DELETES_1000("batch of 1,000 deletes, and one of 1,000 inserts", 1, 0),
        UPSERTS_1000("batch of 1,000 upserts of rows that are there", 1, 0),
        ORDER("order: update + insert in each of 2 databases", 2, 4);

        private final String title;
        private final int databases;
        /** How many rows of it are counted at the end. */
        private final int rows;

        Work(String title, int databases, int rows) {
            this.title = title;
            this.databases = databases;
            this.rows = rows;
        }

        String title() {
            return title;
        }

        int databases() {
            return databases;
        }
    }

    /** Does the work, one local transaction in each database. */
    void run(Work work, List<? extends DataSource> sources, int thread, long number) throws SQLException {
        long product = (long) thread * PRODUCTS_OF_THREAD + number % PRODUCTS_OF_THREAD;
        for (int i = 0; i < work.databases(); i++) {
            // As Spring's transaction manager does it.
            try (Connection connection = sources.get(i).getConnection()) {
                connection.setAutoCommit(false);
                try {
                    statements(work, connection, product);
                    connection.commit();
                } catch (SQLException | RuntimeException e) {
                    connection.rollback();
                    throw e;
                } finally {
                    connection.setAutoCommit(true);
                }
            }
        }
        written.addAndGet(work.rows);
    }

    private void statements(Work work, Connection connection, long product) throws SQLException {
        switch (work) {
            case UPDATE -> update(connection, product, 1);
            case INSERT -> insert(connection, product, 1);
            case INSERTS_100 -> insert(connection, product, 100);
            case INSERTS_1000 -> insert(connection, product, 1000);
            case UPDATES_100 -> update(connection, product, 100);
            case UPDATES_1000 -> update(connection, product, 1000);
            case DELETE -> deleteAndInsert(connection, product, 1);
            case DELETES_1000 -> deleteAndInsert(connection, product, 1000);
            case UPSERT -> tally(connection, upsert, product, 1);
            case UPSERTS_1000 -> tally(connection, upsert, product, 1000);
            case ORDER -> {
                update(connection, product, 1);
                insert(connection, product, 1);
            }
        }
    }

    private static void deleteAndInsert(Connection connection, long product, int rows) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(DELETE)) {
            for (int i = 0; i < rows; i++) {
                delete.setLong(1, ofThread(product, i));
                if (rows > 1) {
                    delete.addBatch();
                }
            }
            execute(delete, rows);
        }
        tally(connection, AGAIN, product, rows);
    }

    private static void tally(Connection connection, String sql, long product, int rows) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < rows; i++) {
                statement.setLong(1, ofThread(product, i));
                statement.setLong(2, product);
                if (rows > 1) {
                    statement.addBatch();
                }
            }
            execute(statement, rows);
        }
    }

    /** One of the rows that only this thread works on. */
    private static long ofThread(long product, int i) {
        return product - product % PRODUCTS_OF_THREAD + (product + i) % PRODUCTS_OF_THREAD;
    }

    private static void update(Connection connection, long product, int rows) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(UPDATE)) {
            for (int i = 0; i < rows; i++) {
                update.setInt(1, 1);
                update.setLong(2, ofThread(product, i));
                if (rows > 1) {
                    update.addBatch();
                }
            }
            execute(update, rows);
        }
    }

    private void insert(Connection connection, long product, int rows) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT)) {
            for (int i = 0; i < rows; i++) {
                insert.setLong(1, orders.incrementAndGet());
                insert.setLong(2, product);
                insert.setInt(3, 1);
                insert.setString(4, "leave it at the door");
                if (rows > 1) {
                    insert.addBatch();
                }
            }
            execute(insert, rows);
        }
    }

    private static void execute(PreparedStatement statement, int rows) throws SQLException {
        if (rows > 1) {
            statement.executeBatch();
        } else {
            statement.executeUpdate();
        }
    }

    /** How many rows were updated and inserted, as far as the work that ended well goes. */
    long written() {
        return written.get();
    }

    /** The same as the databases show it. */
    long stored() {
        long number = 0;
        for (TestDatabase database : databases) {
            number += number(database, "SELECT SUM(1000000000 - stock) FROM product");
            number += number(database, "SELECT COUNT(*) FROM orders");
        }
        return number;
    }

    /** How many undo records are left. */
    long undoRecords() {
        return databases.stream()
                .mapToLong(database -> number(database, "SELECT COUNT(*) FROM undo_log"))
                .sum();
    }

    static long number(TestDatabase database, String query) {
        return Long.parseLong(text(database, query));
    }

    static String text(TestDatabase database, String query) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return String.valueOf(row.getString(1));
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }
}
