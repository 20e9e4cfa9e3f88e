package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.TxnClient;
import io.txn.client.jdbc.AtDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.GlobalTransactional;
import java.nio.file.Path;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.autoconfigure.jdbc.JdbcTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.annotation.DirtiesContext;
import org.springframework.test.context.ContextConfiguration;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.test.context.TestContextManager;
import org.springframework.test.jdbc.JdbcTestUtils;
import org.springframework.transaction.annotation.Transactional;

/** What somebody meets who tests an application that has the starter by Spring Boot's means. */
@Timeout(180)
class ApplicationTestsIT {

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory);
    }

    @AfterAll
    static void stop() {
        coordinator.close();
    }

    /** The application that is tested. */
    @SpringBootConfiguration
    @EnableAutoConfiguration
    @Import(Shop.class)
    static class Application {}

    static class Shop {

        private final JdbcTemplate jdbc;

        Shop(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @GlobalTransactional
        public void buy(boolean failing) {
            jdbc.update("INSERT INTO bought (what) VALUES (1)");
            if (failing) {
                throw new IllegalStateException("wished for");
            }
        }
    }

    @Nested
    @SpringBootTest(
            classes = Application.class,
            webEnvironment = SpringBootTest.WebEnvironment.NONE,
            properties =
                    "spring.datasource.url=jdbc:h2:mem:whole;INIT=CREATE TABLE IF NOT EXISTS bought (id INT AUTO_INCREMENT PRIMARY KEY, what INT)")
    @TestInstance(TestInstance.Lifecycle.PER_CLASS)
    @DirtiesContext
    class Whole {

        /** As containers that a test starts tell where they are. */
        @DynamicPropertySource
        static void whereItIs(DynamicPropertyRegistry keys) {
            keys.add("txn.coordinator.address", () -> coordinator.address());
        }

        @Test
        void transactionsAreKeptAndUndoneAsElsewhere(@Autowired Shop shop, @Autowired JdbcTemplate jdbc) {
            shop.buy(false);
            assertThatThrownBy(() -> shop.buy(true)).isInstanceOf(IllegalStateException.class);
            assertThat(JdbcTestUtils.countRowsInTable(jdbc, "bought")).isEqualTo(1);
        }

        @Test
        @Transactional
        void aTestThatKeepsALocalTransactionOpenIsToldSo(@Autowired Shop shop) {
            assertThatThrownBy(() -> shop.buy(false))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.LOCAL_TRANSACTION_OPEN));
        }
    }

    @SpringBootTest(
            classes = Application.class,
            webEnvironment = SpringBootTest.WebEnvironment.NONE,
            properties = "spring.datasource.url=jdbc:h2:mem:annotated")
    @DirtiesContext
    static class Annotated {

        @DynamicPropertySource
        static void whereItIs(DynamicPropertyRegistry keys) {
            keys.add("txn.coordinator.address", () -> coordinator.address());
        }

        @GlobalTransactional
        void aTest() {}
    }

    /** As {@code @Transactional} is written there. Nothing would begin a transaction. */
    @Test
    void anAnnotationOnATestItselfIsRefused() {
        TestContextManager manager = new TestContextManager(Annotated.class);
        try {
            assertThatThrownBy(() -> manager.prepareTestInstance(new Annotated()))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION))
                    .hasMessageContaining("its objects are no beans, as those of a test");
        } finally {
            manager.getTestContext().markApplicationContextDirty(DirtiesContext.HierarchyMode.EXHAUSTIVE);
        }
    }

    @Nested
    @JdbcTest(properties = "spring.test.database.replace=none")
    @ContextConfiguration(classes = Application.class)
    class Slice {

        @Test
        void aSliceNeedsNoCoordinatorAndHasNone(
                @Autowired Shop shop,
                @Autowired JdbcTemplate jdbc,
                @Autowired DataSource dataSource,
                @Autowired ObjectProvider<TxnClient> clients) {
            assertThat(clients.stream()).isEmpty();
            assertThat(dataSource).isNotInstanceOf(AtDataSource.class);
            jdbc.execute("CREATE TABLE bought (what INT)");
            shop.buy(false);
            assertThat(JdbcTestUtils.countRowsInTable(jdbc, "bought")).isEqualTo(1);
        }
    }
}
