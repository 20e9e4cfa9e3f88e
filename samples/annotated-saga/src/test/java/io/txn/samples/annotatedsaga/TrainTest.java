package io.txn.samples.annotatedsaga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.test.Await;
import io.txn.test.TestDatabases;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.jdbc.datasource.init.ResourceDatabasePopulator;
import org.springframework.transaction.support.TransactionTemplate;

/** The local transactions of the train; that they are steps of a saga is shown by {@code SamplesIT}. */
class TrainTest {

    private static final Duration LONG = Duration.ofSeconds(60);

    private JdbcClient database;
    private TransactionTemplate transactions;
    private Train train;

    @BeforeEach
    void start() {
        DataSource source = TestDatabases.h2(";LOCK_TIMEOUT=60000").dataSource();
        new ResourceDatabasePopulator(new ClassPathResource("schema.sql")).execute(source);
        database = JdbcClient.create(source);
        transactions = new TransactionTemplate(new DataSourceTransactionManager(source));
        train = new Train(database, new Bookings(database));
    }

    @Test
    void theLastSeatIsSoldOnceToTwoWhoWantItAtOnce() {
        book("alice");
        CompletableFuture<String> carol = Objects.requireNonNull(transactions.execute(open -> {
            train.book("bob");
            CompletableFuture<String> other = CompletableFuture.supplyAsync(() -> book("carol"));
            Await.until("carol has her answer or waits for bob's", LONG, () -> other.isDone() || somebodyWaits());
            return other;
        }));
        assertThatThrownBy(() -> carol.get(60, TimeUnit.SECONDS)).hasCauseInstanceOf(SoldOutException.class);
        assertThat(booked()).isEqualTo(2);
    }

    @Test
    void aSeatThatIsCancelledIsFreeOnceAgain() {
        String alices = book("alice");
        book("bob");
        cancel("alice", alices);
        cancel("alice", alices);
        book("carol");
        assertThatThrownBy(() -> book("dave")).isInstanceOf(SoldOutException.class);
        assertThat(booked()).isEqualTo(2);
    }

    private String book(String guest) {
        return Objects.requireNonNull(transactions.execute(open -> train.book(guest)));
    }

    private void cancel(String guest, String booking) {
        transactions.executeWithoutResult(open -> train.cancel(guest, booking));
    }

    private boolean somebodyWaits() {
        return count("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SESSIONS WHERE BLOCKER_ID IS NOT NULL") > 0;
    }

    private int booked() {
        return count("SELECT COUNT(*) FROM booking WHERE what = 'train' AND state = 'BOOKED'");
    }

    private int count(String sql) {
        return database.sql(sql).query(Integer.class).single();
    }
}
