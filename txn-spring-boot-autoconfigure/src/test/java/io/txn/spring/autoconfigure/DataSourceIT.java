package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import com.zaxxer.hikari.HikariConfigMXBean;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.MeterRegistry;
import io.txn.client.jdbc.AtDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.doctor.DataSourcesExamination;
import io.txn.spring.doctor.SeenDataSources;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.BeanNotOfRequiredTypeException;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.sql.init.SqlInitializationAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.jdbc.DataSourceUnwrapper;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadata;
import org.springframework.boot.jdbc.metadata.DataSourcePoolMetadataProvider;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;

/** Which data sources are wrapped, that they stay what they were to everybody else, and what a start says. */
class DataSourceIT {

    @TempDir
    static Path directory;

    private static TestCoordinator coordinator;

    @BeforeAll
    static void start() {
        coordinator = TestCoordinator.start(directory.resolve("coordinator"));
    }

    @AfterAll
    static void stop() {
        coordinator.close();
    }

    private final ApplicationContextRunner runner = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    TxnAutoConfiguration.class,
                    TxnDataSourceAutoConfiguration.class,
                    DataSourceAutoConfiguration.class,
                    JdbcTemplateAutoConfiguration.class,
                    SqlInitializationAutoConfiguration.class))
            .withPropertyValues(coordinator.property(), "spring.datasource.url=" + memory("app"));

    private static String memory(String name) {
        return "jdbc:h2:mem:" + name + System.nanoTime() + ";DB_CLOSE_DELAY=-1";
    }

    @Test
    void thePoolIsWrappedOnceAndCanBeReached() {
        runner.run(context -> {
            DataSource dataSource = context.getBean(DataSource.class);
            assertThat(dataSource).isInstanceOf(AtDataSource.class);
            assertThat(dataSource.isWrapperFor(HikariDataSource.class)).isTrue();
            HikariDataSource pool = dataSource.unwrap(HikariDataSource.class);
            assertThat(((AtDataSource) dataSource).physical()).isSameAs(pool);
            assertThat(DataSourceUnwrapper.unwrap(dataSource, HikariConfigMXBean.class, HikariDataSource.class))
                    .isSameAs(pool);
            assertThat(pool.isClosed()).isFalse();
            assertThat(undoTable(context, "UNDO_LOG")).isTrue();
        });
    }

    @Test
    void dataSourcesAreServedFromTheStartAlsoWhereBeansAreMadeOnDemand() {
        runner.withInitializer(context ->
                        context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
                .run(context -> assertThat(context.getBeanFactory().containsSingleton("dataSource"))
                        .isTrue());
    }

    @Test
    void thePoolIsClosedWithTheContext() {
        HikariDataSource[] pool = new HikariDataSource[1];
        runner.run(context -> pool[0] = context.getBean(DataSource.class).unwrap(HikariDataSource.class));
        assertThat(pool[0].isClosed()).isTrue();
    }

    @Test
    void propertiesReachTheDataSource() {
        runner.withPropertyValues("txn.jdbc.undo-table=my_undo")
                .withBean(AtOptionsCustomizer.class, () -> (name, options) -> {
                    assertThat(name).isEqualTo("dataSource");
                    return options.withBounds(5, 5000);
                })
                .run(context -> assertThat(undoTable(context, "MY_UNDO")).isTrue());
        runner.withPropertyValues("txn.jdbc.enabled=false")
                .run(context -> assertThat(context.getBean(DataSource.class)).isInstanceOf(HikariDataSource.class));
        runner.withPropertyValues("txn.enabled=false")
                .run(context -> assertThat(context.getBean(DataSource.class)).isInstanceOf(HikariDataSource.class));
    }

    @Test
    void excludedOnesAreLeftAlone() {
        runner.withUserConfiguration(TwoPools.class)
                .withPropertyValues("txn.jdbc.excluded=reporting")
                .run(context -> {
                    assertThat(context.getBean("orders")).isInstanceOf(AtDataSource.class);
                    assertThat(context.getBean("reporting")).isInstanceOf(DriverManagerDataSource.class);
                });
    }

    @Test
    void routersAndProxiesStayAndLeadToWrappedPools() {
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withUserConfiguration(TwoPools.class, Layered.class).run(context -> {
                assertThat(context.getBean("orders")).isInstanceOf(AtDataSource.class);
                assertThat(context.getBean("reporting")).isInstanceOf(AtDataSource.class);
                assertThat(context.getBean("router")).isInstanceOf(Router.class);
                assertThat(context.getBean(Router.class)
                                .getResolvedDataSources()
                                .values())
                        .allSatisfy(target -> assertThat(target).isInstanceOf(AtDataSource.class));
                assertThat(context.getBean("lazy")).isInstanceOf(LazyConnectionDataSourceProxy.class);
                assertThat(context.getBean("aware")).isInstanceOf(TransactionAwareDataSourceProxy.class);
                assertThat(context.getBean(AtDataSources.class).names()).containsExactly("orders", "reporting");
            });
            assertThat(log.from(Level.WARN)).isEmpty();
        }
    }

    @Test
    void poolsThatAreNoBeansAreWrappedInTheirPlaces() {
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withUserConfiguration(HiddenPools.class).run(context -> {
                Router router = context.getBean(Router.class);
                assertThat(router.getResolvedDataSources().get("orders")).isInstanceOf(AtDataSource.class);
                assertThat(router.getResolvedDefaultDataSource())
                        .isSameAs(router.getResolvedDataSources().get("orders"));
                LazyConnectionDataSourceProxy lazy = context.getBean(LazyConnectionDataSourceProxy.class);
                assertThat(lazy.getTargetDataSource()).isInstanceOf(AtDataSource.class);
                assertThat(context.getBean(AtDataSources.class).names())
                        .containsExactly("lazy.target", "router.orders");
                assertThat(undoTable(context, "router", "UNDO_LOG")).isTrue();
                assertThat(undoTable(context, "lazy", "UNDO_LOG")).isTrue();
            });
            assertThat(log.from(Level.WARN)).isEmpty();
        }
    }

    @Test
    void excludedOnesStaySoBeneathOthers() {
        runner.withUserConfiguration(TwoPools.class, Layered.class)
                .withPropertyValues("txn.jdbc.excluded=reporting")
                .run(context -> {
                    assertThat(context.getBean(Router.class).getResolvedDataSources())
                            .hasEntrySatisfying(
                                    "orders", target -> assertThat(target).isInstanceOf(AtDataSource.class))
                            .hasEntrySatisfying("reporting", target -> assertThat(target)
                                    .isInstanceOf(DriverManagerDataSource.class));
                    assertThat(context.getBean(TransactionAwareDataSourceProxy.class)
                                    .getTargetDataSource())
                            .isInstanceOf(DriverManagerDataSource.class);
                });
    }

    @Test
    void aRouterThatDoesNotTellItsPoolsIsSaidToBeUncovered() {
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withUserConfiguration(SecretRouting.class).run(context -> {
                assertThat(context.getBean(DataSource.class)).isInstanceOf(SecretRouter.class);
                assertThat(seen(context)).containsExactly("router UNCOVERED");
            });
            assertThat(log.from(Level.WARN))
                    .singleElement()
                    .asString()
                    .contains("NOT undone")
                    .contains("router");
        }
    }

    @Test
    void aPoolThatARouterIsGivenAfterTheStartIsSaidToBeUncovered() {
        runner.withUserConfiguration(HiddenPools.class).run(context -> {
            Router router = context.getBean(Router.class);
            Map<Object, Object> targets = new HashMap<>(router.getResolvedDataSources());
            targets.put("later", new DriverManagerDataSource(memory("later"), "sa", ""));
            router.setTargetDataSources(targets);
            router.afterPropertiesSet();
            assertThat(seen(context)).contains("router.later UNCOVERED").doesNotContain("router.orders UNCOVERED");
            assertThat(new DataSourcesExamination(context.getBean(SeenDataSources.class), Map::of, Set.of(), Set::of)
                            .examine())
                    .filteredOn(finding -> finding.code() == ErrorCode.DATA_SOURCE_NOT_WRAPPED)
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.seen()).contains("after the start"));
        });
    }

    @Test
    void whatBecameOfEachDataSourceCanBeAsked() {
        runner.withUserConfiguration(TwoPools.class, Layered.class)
                .withPropertyValues("txn.jdbc.excluded=reporting")
                .run(context -> assertThat(seen(context))
                        .containsExactly(
                                "aware ABOVE",
                                "lazy ABOVE",
                                "orders WRAPPED " + ((AtDataSource) context.getBean("orders")).resourceId(),
                                "reporting EXCLUDED",
                                "router ABOVE"));
    }

    private static List<String> seen(AssertableApplicationContext context) {
        return context.getBean(SeenDataSources.class).seen().stream()
                .map(seen -> seen.name() + ' ' + seen.fate() + (seen.resource() == null ? "" : ' ' + seen.resource()))
                .toList();
    }

    @Test
    void aScopedProxyIsWrappedAndItsTargetIsNot() {
        runner.withUserConfiguration(Scoped.class).run(context -> {
            AtDataSource wrapped = (AtDataSource) context.getBean("scoped");
            assertThat(AopUtils.isAopProxy(wrapped.physical())).isTrue();
            assertThat(context.getBean("scopedTarget.scoped")).isInstanceOf(DriverManagerDataSource.class);
        });
    }

    // What a start says

    @Test
    void anUnsupportedDatabase() {
        runner.withPropertyValues("spring.datasource.url=jdbc:unknown:x")
                .withBean("dataSource", DataSource.class, UnknownDatabase::new)
                .run(context -> assertThat(new TxnFailureAnalyzer(null).analyze(context.getStartupFailure()))
                        .satisfies(analysis -> {
                            assertThat(analysis.getDescription()).contains("TXN-AT004");
                            assertThat(analysis.getAction()).contains("txn.jdbc.excluded");
                        }));
    }

    /** Nothing is said about which databases there are for AT mode: this one may well be one of them. */
    @Test
    void aDatabaseThatTurnsTheAccountAway() {
        runner.withBean(
                        "dataSource",
                        DataSource.class,
                        () -> new DriverManagerDataSource("jdbc:h2:/nowhere/x;IFEXISTS=TRUE"))
                .run(context -> assertThat(new TxnFailureAnalyzer(null).analyze(context.getStartupFailure()))
                        .satisfies(analysis -> {
                            assertThat(analysis.getDescription())
                                    .contains("TXN-AT017")
                                    .contains("/nowhere/x");
                            assertThat(analysis.getAction()).contains("start the database");
                        }));
    }

    @Test
    void anUndoTableThatIsMissingAndMayNotBeCreated() {
        runner.withPropertyValues("txn.jdbc.create-undo-table=false")
                .run(context -> assertThat(new TxnFailureAnalyzer(null).analyze(context.getStartupFailure()))
                        .satisfies(analysis -> {
                            assertThat(analysis.getDescription()).contains("TXN-AT002");
                            assertThat(analysis.getAction())
                                    .contains("txn.jdbc.create-undo-table=true")
                                    .contains("io/txn/client/jdbc/schema");
                        }));
    }

    /** The start wraps what its beans throw: this is what is read in spite of it. Spring Boot 4 has the same in {@code MigrationIT}. */
    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void whatHappenedAndWhatToDoStandsOnTheConsole(CapturedOutput output) {
        assertThatThrownBy(() -> new SpringApplicationBuilder(Everything.class)
                        .web(WebApplicationType.NONE)
                        .run(
                                "--spring.datasource.url=" + memory("without"),
                                "--txn.jdbc.create-undo-table=false",
                                "--" + coordinator.property()))
                .hasRootCauseInstanceOf(TxnException.class);
        assertThat(output.getAll())
                .contains("APPLICATION FAILED TO START")
                .contains("TXN-AT002: " + ErrorCode.NO_UNDO_TABLE.sentence())
                .contains("script: io/txn/client/jdbc/schema/h2.sql")
                .containsIgnoringCase(ErrorCode.NO_UNDO_TABLE.fix())
                .doesNotContain("\tat ");
    }

    /** As examples of Spring Boot's have it: the pool's own class as the type of the bean, and somebody who injects that. */
    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void whoWantsAPoolByItsClassIsToldHowToGetIt(CapturedOutput output) {
        assertThatThrownBy(() -> new SpringApplicationBuilder(PoolByClass.class)
                        .web(WebApplicationType.NONE)
                        .run("--" + coordinator.property()))
                .hasRootCauseInstanceOf(BeanNotOfRequiredTypeException.class);
        assertThat(output.getAll())
                .contains("APPLICATION FAILED TO START")
                .contains("The data source 'pool' takes part in global transactions")
                .contains("dataSource.unwrap(HikariDataSource.class)")
                .contains("txn.jdbc.excluded");
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class PoolByClass {

        @Bean
        HikariDataSource pool() {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(memory("byclass"));
            return pool;
        }

        @Bean
        String name(HikariDataSource pool) {
            return pool.getPoolName();
        }
    }

    /** Stands for what brings work: a web server, a listener, a scheduler. */
    static final class Worker implements SmartLifecycle {

        private final JdbcTemplate jdbc;
        private volatile int undoTables;

        Worker(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @Override
        public void start() {
            undoTables = Objects.requireNonNull(jdbc.queryForObject(
                    "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'UNDO_LOG'", Integer.class));
        }

        @Override
        public void stop() {}

        @Override
        public boolean isRunning() {
            return undoTables > 0;
        }

        @Override
        public int getPhase() {
            return 0;
        }
    }

    @Test
    void nothingBringsWorkBeforeTheUndoTableIsThere() {
        runner.withBean(Worker.class).run(context -> assertThat(context.getBean(Worker.class).undoTables)
                .isEqualTo(1));
        runner.withBean(Worker.class)
                .withPropertyValues("spring.datasource.url=" + memory("without"), "txn.jdbc.create-undo-table=false")
                .run(context -> assertThat(context).hasFailed());
    }

    @Test
    void anUndoTableMadeByTheApplicationsOwnScriptsIsFound() {
        runner.withPropertyValues(
                        "txn.jdbc.create-undo-table=false",
                        "spring.sql.init.schema-locations=classpath:io/txn/client/jdbc/schema/h2.sql")
                .run(context -> assertThat(context).hasNotFailed());
    }

    @Test
    void anH2FileThatLosesCommits() {
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withPropertyValues("spring.datasource.url=jdbc:h2:file:" + directory.resolve("lazy"))
                    .run(context -> assertThat(context).hasNotFailed());
            assertThat(log.from(Level.WARN))
                    .singleElement()
                    .asString()
                    .contains("TXN-AT009")
                    .contains("WRITE_DELAY=0");
        }
        try (LogLines log = LogLines.of("io.txn")) {
            runner.withPropertyValues(
                            "spring.datasource.url=jdbc:h2:file:" + directory.resolve("eager") + ";WRITE_DELAY=0")
                    .run(context -> assertThat(context).hasNotFailed());
            assertThat(log.from(Level.WARN)).isEmpty();
        }
    }

    @Test
    void aHealthyApplicationStartsWithoutAWarningAndItsPoolIsMeasured() {
        try (LogLines log = LogLines.of("ROOT");
                ConfigurableApplicationContext context = new SpringApplicationBuilder(Everything.class)
                        .properties(
                                "server.port=0",
                                "server.address=127.0.0.1",
                                "spring.application.name=everything",
                                "spring.datasource.url=" + memory("everything"),
                                "spring.datasource.hikari.maximum-pool-size=7",
                                "management.endpoints.web.exposure.include=*",
                                coordinator.property())
                        .run()) {
            assertThat(log.from(Level.WARN)).isEmpty();
            DataSource dataSource = context.getBean(DataSource.class);
            assertThat(dataSource).isInstanceOf(AtDataSource.class);
            MeterRegistry meters = context.getBean(MeterRegistry.class);
            assertThat(meters.get("hikaricp.connections.max").gauge().value()).isEqualTo(7);
            assertThat(meters.get("jdbc.connections.max").gauge().value()).isEqualTo(7);
            assertThat(context.getBeanProvider(DataSourcePoolMetadataProvider.class)
                            .orderedStream()
                            .map(provider -> provider.getDataSourcePoolMetadata(dataSource))
                            .filter(Objects::nonNull)
                            .map(DataSourcePoolMetadata::getMax))
                    .containsExactly(7);
            context.getBean(JdbcTemplate.class).execute("CREATE TABLE t (id INT PRIMARY KEY)");
        }
    }

    private static boolean undoTable(AssertableApplicationContext context, String name) {
        return undoTable(context, "dataSource", name);
    }

    private static boolean undoTable(AssertableApplicationContext context, String dataSource, String name) {
        return Boolean.TRUE.equals(new JdbcTemplate(context.getBean(dataSource, DataSource.class))
                .queryForObject(
                        "SELECT COUNT(*) > 0 FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = ?",
                        Boolean.class,
                        name));
    }

    @EnableAutoConfiguration
    static class Everything {}

    @Configuration(proxyBeanMethods = false)
    static class TwoPools {

        @Bean
        @Primary
        DataSource orders() {
            return new DriverManagerDataSource(memory("orders"), "sa", "");
        }

        @Bean
        DataSource reporting() {
            return new DriverManagerDataSource(memory("reporting"), "sa", "");
        }
    }

    static class Router extends AbstractRoutingDataSource {
        @Override
        protected Object determineCurrentLookupKey() {
            return "orders";
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Layered {

        @Bean
        Router router(DataSource orders, @Qualifier("reporting") DataSource reporting) {
            Router router = new Router();
            router.setTargetDataSources(Map.of("orders", orders, "reporting", reporting));
            return router;
        }

        @Bean
        LazyConnectionDataSourceProxy lazy(DataSource orders) {
            return new LazyConnectionDataSourceProxy(orders);
        }

        @Bean
        TransactionAwareDataSourceProxy aware(@Qualifier("reporting") DataSource reporting) {
            return new TransactionAwareDataSourceProxy(reporting);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class HiddenPools {

        @Bean
        @Primary
        Router router() {
            DataSource hidden = new DriverManagerDataSource(memory("hidden"), "sa", "");
            Router router = new Router();
            router.setTargetDataSources(Map.of("orders", hidden));
            router.setDefaultTargetDataSource(hidden);
            return router;
        }

        @Bean
        LazyConnectionDataSourceProxy lazy() {
            return new LazyConnectionDataSourceProxy(new DriverManagerDataSource(memory("lazy"), "sa", ""));
        }
    }

    /** As people write them whose tenants come and go. */
    static class SecretRouter extends AbstractRoutingDataSource {

        private final DataSource secret = new DriverManagerDataSource(memory("secret"), "sa", "");

        @Override
        public void afterPropertiesSet() {
            // It has no targets of Spring's.
        }

        @Override
        protected DataSource determineTargetDataSource() {
            return secret;
        }

        @Override
        protected Object determineCurrentLookupKey() {
            return "";
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class SecretRouting {

        @Bean
        SecretRouter router() {
            return new SecretRouter();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Scoped {

        @Bean
        @Scope(scopeName = ConfigurableBeanFactory.SCOPE_PROTOTYPE, proxyMode = ScopedProxyMode.INTERFACES)
        DataSource scoped() {
            return new DriverManagerDataSource(memory("scoped"), "sa", "");
        }
    }

    /** A database that AT mode does not know, as far as its driver says. */
    private static final class UnknownDatabase extends DriverManagerDataSource {

        UnknownDatabase() {
            super(memory("unknown"), "sa", "");
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection real = super.getConnection();
            DatabaseMetaData metaData = (DatabaseMetaData) Proxy.newProxyInstance(
                    getClass().getClassLoader(),
                    new Class<?>[] {DatabaseMetaData.class},
                    (proxy, method, arguments) -> method.getName().equals("getDatabaseProductName")
                            ? "Exotic"
                            : method.invoke(real.getMetaData(), arguments));
            return (Connection) Proxy.newProxyInstance(
                    getClass().getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (proxy, method, arguments) ->
                            method.getName().equals("getMetaData") ? metaData : method.invoke(real, arguments));
        }
    }
}
