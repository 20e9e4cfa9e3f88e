package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceOptions;
import io.txn.protocol.ErrorCode;
import io.txn.spring.Captured;
import io.txn.spring.SagaAction;
import io.txn.test.Await;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.transaction.annotation.Transactional;

/** An action behind a router of tenants: the coordinator's call names no tenant. */
@Timeout(120)
class ActionRouterIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    /** Goes by what the thread has bound. */
    static class Router extends AbstractRoutingDataSource {

        private final ThreadLocal<String> tenant = new ThreadLocal<>();
        private volatile String otherwise = "a";

        @Override
        protected Object determineCurrentLookupKey() {
            String bound = tenant.get();
            return bound == null ? otherwise : bound;
        }
    }

    static class Rooms {

        private final JdbcTemplate jdbc;

        Rooms(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @SagaAction(name = "room/book", compensation = "unbook")
        @Transactional
        public void book(@Captured("guest") String guest) {
            jdbc.update("INSERT INTO booking (guest) VALUES (?)", guest);
        }

        public void unbook(String guest) {
            jdbc.update("DELETE FROM booking WHERE guest = ?", guest);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Tenants {

        static TestDatabase database() {
            TestDatabase database = TestDatabases.h2().create();
            database.execute("CREATE TABLE booking (guest VARCHAR(20) PRIMARY KEY)");
            return database;
        }

        @Bean
        DataSource a() {
            return database().dataSource();
        }

        @Bean
        DataSource b() {
            DataSource source = database().dataSource();
            Fence.of(source, FenceOptions.DEFAULTS).prepare(); // as a migration tool would
            return source;
        }

        @Bean
        @Primary
        Router router(DataSource a, DataSource b) {
            Router router = new Router();
            router.setTargetDataSources(Map.of("a", a, "b", b));
            return router;
        }
    }

    @Test
    void aCompensationThatIsLedToAnotherTenantWaitsForItsOwn() {
        try (TestCoordinator coordinator = TestCoordinator.start(directory.resolve("coordinator"))) {
            new ApplicationContextRunner()
                    .withConfiguration(AutoConfigurations.of(
                            TxnAutoConfiguration.class,
                            TxnDataSourceAutoConfiguration.class,
                            TxnModesAutoConfiguration.class,
                            AopAutoConfiguration.class,
                            JdbcTemplateAutoConfiguration.class,
                            DataSourceTransactionManagerAutoConfiguration.class,
                            TransactionAutoConfiguration.class))
                    .withUserConfiguration(Tenants.class)
                    .withBean(Rooms.class)
                    .withPropertyValues(coordinator.property(), "spring.application.name=tenants")
                    .run(context -> {
                        Router router = context.getBean(Router.class);
                        Rooms rooms = context.getBean(Rooms.class);
                        JdbcTemplate inB = new JdbcTemplate(context.getBean("b", DataSource.class));
                        assertThat(catchThrowable(() -> context.getBean(GlobalTransactionTemplate.class)
                                        .execute(GlobalTransactionOptions.named("tenant"), () -> {
                                            router.tenant.set("b");
                                            try {
                                                rooms.book("guest");
                                            } finally {
                                                router.tenant.remove();
                                            }
                                            throw new IllegalStateException("no");
                                        })))
                                .hasMessage("no");
                        Await.until(
                                "the compensation was refused in the other database",
                                MAX,
                                () -> coordinator
                                        .detail(coordinator
                                                .transaction("tenant")
                                                .xid())
                                        .branches()
                                        .stream()
                                        .anyMatch(branch ->
                                                ErrorCode.OTHER_DATABASE.isNamedIn(String.valueOf(branch.cause()))));
                        assertThat(inB.queryForObject("SELECT COUNT(*) FROM booking", Integer.class))
                                .isOne();
                        router.otherwise = "b";
                        Await.until("it is compensated where it was done", MAX, () -> coordinator
                                .transaction("tenant")
                                .state()
                                .name()
                                .equals("ROLLED_BACK"));
                        assertThat(inB.queryForObject("SELECT COUNT(*) FROM booking", Integer.class))
                                .isZero();
                    });
        }
    }
}
