package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.SkewedCoordinator;
import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.access.Secret;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.doctor.Diagnosis;
import io.txn.spring.doctor.Doctor;
import io.txn.spring.doctor.Examination;
import io.txn.spring.doctor.Finding;
import io.txn.spring.doctor.JarsExamination;
import io.txn.test.Await;
import io.txn.test.Ports;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.autoconfigure.transaction.TransactionAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.PriorityOrdered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.FileSystemResource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Transactional;

/** One broken thing each, and what the doctor says about it. */
class DoctorIT {

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

    private final ApplicationContextRunner bare = new ApplicationContextRunner()
            .withConfiguration(AutoConfigurations.of(
                    TxnAutoConfiguration.class,
                    TxnDataSourceAutoConfiguration.class,
                    TxnDoctorAutoConfiguration.class,
                    DataSourceAutoConfiguration.class,
                    DataSourceTransactionManagerAutoConfiguration.class,
                    TransactionAutoConfiguration.class,
                    JdbcTemplateAutoConfiguration.class));

    private final ApplicationContextRunner runner = bare.withPropertyValues(coordinator.property());

    private ApplicationContextRunner withDatabase() {
        return runner.withPropertyValues("spring.datasource.url=" + memory());
    }

    private static String memory() {
        return "jdbc:h2:mem:doctor" + System.nanoTime() + ";DB_CLOSE_DELAY=-1";
    }

    private static List<Finding> problems(org.springframework.context.ApplicationContext context) {
        return context.getBean(Doctor.class).examine().problems();
    }

    private static Finding only(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }

    // Nothing broken

    @Test
    void aHealthyApplicationIsToldAsSuch() {
        String left = "txn.jdbc.columns-left-to-triggers=updated_at,orders.version";
        withDatabase().withPropertyValues(left).run(context -> {
            Diagnosis diagnosis = context.getBean(Doctor.class).examine();
            assertThat(diagnosis.problems()).isEmpty();
            assertThat(diagnosis.screen())
                    .contains("coordinator")
                    .contains(coordinator.address() + "  connected; ")
                    .contains("all extensions, clock ")
                    .contains("addresses [" + coordinator.address() + "]")
                    .containsPattern(
                            "undo table \"PUBLIC\".undo_log is as it should be; rows are known as [0-9a-f]+\\s")
                    .contains("a rollback leaves to triggers, and does not compare: orders.version, updated_at")
                    .contains("takes part in global transactions as jdbc:h2:");
            System.out.println(diagnosis.screen());
        });
    }

    // Coordinators

    @Test
    void aCoordinatorThatIsAwayIsNamedWithTheReason() {
        int nobody = Ports.free();
        bare.withPropertyValues("txn.coordinator.address=127.0.0.1:" + nobody, "txn.client.fail-fast=false")
                .run(context -> {
                    Await.until(
                            "the first try was made",
                            Duration.ofSeconds(20),
                            () -> !problems(context).get(0).seen().contains("yet"));
                    Finding away = only(problems(context));
                    assertThat(away.code()).isEqualTo(ErrorCode.NO_COORDINATOR);
                    assertThat(away.subject()).isEqualTo("127.0.0.1:" + nobody);
                    assertThat(away.seen()).contains("nothing listens on this port");
                });
    }

    @Test
    void aCoordinatorThatRefusesIsNamedWithTheCodeOfTheRefusal() {
        ClientEntry shop = new ClientEntry(
                "shop",
                List.of(new Secret("0123456789abcdef-secret")),
                null,
                null,
                null,
                List.of(),
                List.of(),
                List.of());
        AccessRules rules = new AccessRules(List.of(shop), SeataResourceManagers.REFUSE);
        try (TestCoordinator guarded =
                TestCoordinator.start(directory.resolve("guarded"), 0, options -> options.withAccess(rules))) {
            bare.withPropertyValues(guarded.property(), "txn.client.fail-fast=false")
                    .run(context -> {
                        Await.until(
                                "it was refused",
                                Duration.ofSeconds(20),
                                () -> problems(context).get(0).code() != ErrorCode.NO_COORDINATOR);
                        assertThat(only(problems(context)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
                    });
        }
    }

    @Test
    void aClockThatGoesWrongIsTold() {
        try (Coordinator late = SkewedCoordinator.start(directory.resolve("skewed"), Duration.ofSeconds(-90))) {
            bare.withPropertyValues("txn.coordinator.address=127.0.0.1:" + late.tcpPort())
                    .run(context -> {
                        Finding clock = only(problems(context));
                        assertThat(clock.code()).isEqualTo(ErrorCode.CLOCKS_DIFFER);
                        assertThat(clock.seen())
                                .matches("the coordinator's clock is (89|90|91)\\d{3} ms behind.* of ours");
                    });
            bare.withPropertyValues(
                            "txn.coordinator.address=127.0.0.1:" + late.tcpPort(), "txn.doctor.clocks-may-differ=10m")
                    .run(context -> assertThat(problems(context)).isEmpty());
        }
    }

    // Data sources

    @Test
    void anUndoTableThatIsGoneOrOfAnotherShapeIsTold() {
        withDatabase().run(context -> {
            JdbcTemplate database = context.getBean(JdbcTemplate.class);
            database.execute("ALTER TABLE undo_log DROP COLUMN context");
            assertThat(only(problems(context)))
                    .isEqualTo(Finding.problem(
                            ErrorCode.NO_UNDO_TABLE, "dataSource", "table \"PUBLIC\".undo_log has no column context"));
            database.execute("DROP TABLE undo_log");
            assertThat(only(problems(context)).seen()).isEqualTo("there is no table \"PUBLIC\".undo_log");
        });
    }

    @Test
    void aRightThatWasTakenAwayIsTold() {
        String url = memory();
        JdbcTemplate admin = new JdbcTemplate(new DriverManagerDataSource(url, "sa", ""));
        admin.execute("CREATE USER shop PASSWORD 'shop'");
        runner.withPropertyValues("spring.datasource.url=" + url, "spring.datasource.username=sa")
                .run(context -> assertThat(problems(context)).isEmpty());
        admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON undo_log TO shop");
        admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON undo_log_database TO shop");
        runner.withPropertyValues(
                        "spring.datasource.url=" + url.replace(";DB_CLOSE_DELAY=-1", ""),
                        "spring.datasource.username=shop",
                        "spring.datasource.password=shop",
                        "txn.jdbc.create-undo-table=false")
                .run(context -> {
                    assertThat(problems(context)).isEmpty();
                    admin.execute("REVOKE DELETE ON undo_log FROM shop");
                    Finding right = only(problems(context));
                    assertThat(right.code()).isEqualTo(ErrorCode.NO_UNDO_TABLE);
                    assertThat(right.seen()).contains("this account could not DELETE in \"PUBLIC\".undo_log");
                });
    }

    @Test
    void tablesWhoseRowsCannotBeNamedAreTold() {
        withDatabase().run(context -> {
            JdbcTemplate database = context.getBean(JdbcTemplate.class);
            database.execute("CREATE TABLE with_key (id INT PRIMARY KEY)");
            database.execute("CREATE TABLE with_other_key (id INT NOT NULL UNIQUE, t INT)");
            assertThat(problems(context)).isEmpty();
            database.execute("CREATE TABLE audit (line VARCHAR(100))");
            database.execute("CREATE TABLE with_nulls (id INT UNIQUE)");
            assertThat(only(problems(context)))
                    .isEqualTo(Finding.problem(
                            ErrorCode.TABLE_WITHOUT_KEY,
                            "dataSource",
                            "global transactions cannot write to AUDIT, WITH_NULLS"));
        });
    }

    @Test
    void aDatabaseThatWentAwayIsToldAndNothingElseSuffers() {
        runner.withBean("dataSource", DataSource.class, BreakableDataSource::new)
                .run(context -> {
                    assertThat(problems(context)).isEmpty();
                    context.getBean(DataSource.class).unwrap(BreakableDataSource.class).broken = true;
                    Finding broken = only(problems(context));
                    assertThat(broken.code()).isEqualTo(ErrorCode.EXAMINATION_FAILED);
                    assertThat(broken.seen()).contains("the database could not be asked");
                });
    }

    private static final class BreakableDataSource extends DriverManagerDataSource {
        private volatile boolean broken;

        BreakableDataSource() {
            super(memory());
        }

        @Override
        public java.sql.Connection getConnection() throws java.sql.SQLException {
            if (broken) {
                setUrl("jdbc:h2:tcp://127.0.0.1:1/gone");
            }
            return super.getConnection();
        }
    }

    @Test
    void dataSourcesThatDoNotTakePartAreListedWithTheReason() {
        withDatabase()
                .withBean("reporting", DataSource.class, () -> new DriverManagerDataSource(memory()))
                .withBean("orders", DataSource.class, () -> new DriverManagerDataSource(memory()))
                .withPropertyValues("txn.jdbc.excluded=reporting")
                .run(context -> {
                    String screen = context.getBean(Doctor.class).examine().screen();
                    assertThat(screen).contains("reporting").contains("not wrapped: named in txn.jdbc.excluded");
                    assertThat(screen).contains("orders").contains("takes part");
                });
    }

    // Annotations

    public static class Purchases {
        @GlobalTransactional
        @Transactional
        public void buy() {}
    }

    @Configuration(proxyBeanMethods = false)
    @EnableTransactionManagement(proxyTargetClass = true, order = Ordered.HIGHEST_PRECEDENCE)
    static class LocalFirst {
        @Bean
        Purchases purchases() {
            return new Purchases();
        }
    }

    @Test
    void aLocalTransactionAroundTheGlobalOneIsToldBeforeAnybodyCalls() {
        withDatabase().withBean("purchases", Purchases.class).run(context -> {
            assertThat(problems(context)).isEmpty();
            assertThat(context.getBean(Doctor.class).examine().screen())
                    .contains("1 method opens global transactions, outside of local ones");
        });
        withDatabase().withUserConfiguration(LocalFirst.class).run(context -> {
            Finding order = only(problems(context));
            assertThat(order.code()).isEqualTo(ErrorCode.ADVICE_INSIDE_TRANSACTION);
            assertThat(order.subject()).isEqualTo("purchases");
            assertThat(order.seen()).startsWith("buy of " + Purchases.class.getName());
        });
    }

    @Configuration(proxyBeanMethods = false)
    static class TooEarly {
        @Bean
        static Purchases purchases() {
            return new Purchases();
        }

        @Bean
        static First needsPurchases(Purchases purchases) {
            Objects.requireNonNull(purchases);
            return new First();
        }

        /** Before the one that makes proxies. */
        private static final class First implements BeanPostProcessor, PriorityOrdered {
            @Override
            public int getOrder() {
                return 0;
            }
        }
    }

    @Test
    void anAnnotationOnABeanThatWasMadeTooEarlyIsTold() {
        runner.withUserConfiguration(TooEarly.class).run(context -> {
            Finding early = only(problems(context));
            assertThat(early.code()).isEqualTo(ErrorCode.ANNOTATION_WITHOUT_EFFECT);
            assertThat(early.subject()).isEqualTo("purchases");
        });
    }

    // Keys

    @Test
    void misspeltKeysAreToldWithThePlaceAndWhatWasMeant() throws IOException {
        Path file = Files.writeString(directory.resolve("application.yml"), """
                txn:
                  client:
                    request-timout: 10s
                    lock-tries: 3
                    applicationId: shop
                  coordinator:
                    adress: 127.0.0.1:8091
                    data-dir: /var/lib/txn
                    retention:
                      time: 12h
                    clients:
                      - name: shop
                        token: [a-token-of-the-test]
                  completely:
                    different: 1
                """);
        runner.withInitializer(context -> addFile(context.getEnvironment(), file))
                .run(context -> assertThat(problems(context))
                        .allMatch(problem -> problem.code() == ErrorCode.UNKNOWN_KEY)
                        .extracting(problem -> problem.subject() + " " + place(problem))
                        .containsExactly(
                                "txn.client.lock-tries 4:17; did you mean txn.jdbc.lock-tries?",
                                "txn.client.request-timout 3:21; did you mean txn.client.request-timeout?",
                                "txn.completely.different 15:16; nothing is like it",
                                "txn.coordinator.adress 7:13; did you mean txn.coordinator.address?"));
    }

    /** Spring Boot says nothing of them. */
    @Test
    void whatIsExcludedAndNotThereIsTold() {
        runner.withPropertyValues("spring.autoconfigure.exclude=io.txn.spring.autoconfigure.TxnAsyncAutoConfiguration,"
                        + TxnReactiveAutoConfiguration.class.getName() + ",com.example.Gone")
                .run(context -> assertThat(problems(context)).singleElement().satisfies(problem -> {
                    assertThat(problem.code()).isEqualTo(ErrorCode.UNKNOWN_KEY);
                    assertThat(problem.subject()).isEqualTo("io.txn.spring.autoconfigure.TxnAsyncAutoConfiguration");
                    assertThat(problem.seen()).contains("in spring.autoconfigure.exclude; there is no such class");
                }));
    }

    private static String place(Finding problem) {
        return problem.seen().replaceAll("^in .*application\\.yml\\D* - ", "");
    }

    private static void addFile(ConfigurableEnvironment environment, Path file) {
        try {
            new YamlPropertySourceLoader()
                    .load("application.yml", new FileSystemResource(file))
                    .forEach(environment.getPropertySources()::addFirst);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void ofVariablesThatOthersMayHaveSetOnlyThoseLikeAKnownKeyAreTold() {
        Map<String, Object> variables = Map.of(
                "TXN_CLIENT_REQUEST_TIMEOUT", "10s",
                "TXN_CLIENT_REQUESTTIMEOUT", "10s",
                "TXN_COORDINATOR_CLIENTS_0_TOKEN", "a-token-of-the-test",
                "TXN_COORDINATOR_ADRESS", "127.0.0.1:1",
                "TXN_HOME", "/opt/txn");
        runner.withInitializer(context -> context.getEnvironment()
                        .getPropertySources()
                        .addFirst(new SystemEnvironmentPropertySource("test-systemEnvironment", variables)))
                .run(context -> {
                    Finding variable = only(problems(context));
                    assertThat(variable.subject()).isEqualTo("TXN_COORDINATOR_ADRESS");
                    assertThat(variable.seen())
                            .isEqualTo("in test-systemEnvironment; did you mean txn.coordinator.address?");
                });
    }

    // Jars

    @Test
    void jarsOfTwoVersionsAndSeataBesideUsAreTold() throws Exception {
        Path one = jar("txn-client-0.1.0.jar", "txn-client", "0.1.0", "io/txn/client/TxnClient.class");
        Path other = jar("txn-client-0.2.0.jar", "txn-client", "0.2.0", "io/txn/client/TxnClient.class");
        Path protocol = jar("txn-protocol-0.2.0.jar", "txn-protocol", "0.2.0", "io/txn/protocol/Xid.class");
        assertThat(jars(one)).noneMatch(Finding::isProblem).singleElement().satisfies(well -> assertThat(well.seen())
                .isEqualTo("version 0.1.0, each once"));
        Finding twice = only(jars(one, other));
        assertThat(twice.code()).isEqualTo(ErrorCode.JARS_MIXED);
        assertThat(twice.subject()).isEqualTo("txn-client");
        assertThat(twice.seen()).contains("txn-client-0.1.0.jar and as ").contains("txn-client-0.2.0.jar");
        assertThat(only(jars(one, protocol)).seen())
                .isEqualTo("versions differ: {txn-protocol=0.2.0, txn-client=0.1.0}");

        List<Path> seata = seataClient();
        Finding beside = only(jars(seata.toArray(Path[]::new)));
        assertThat(beside.code()).isEqualTo(ErrorCode.SEATA_BESIDE);
        assertThat(beside.seen()).contains("seata-all");
    }

    private static List<Finding> jars(Path... paths) throws IOException {
        List<URL> urls = new ArrayList<>();
        for (Path path : paths) {
            urls.add(path.toUri().toURL());
        }
        try (URLClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), null)) {
            return new JarsExamination(loader, () -> false).examine();
        }
    }

    private static Path jar(String name, String artifact, String version, String type) throws IOException {
        Path file = directory.resolve(name);
        try (OutputStream out = Files.newOutputStream(file);
                JarOutputStream jar = new JarOutputStream(out);
                InputStream content = Objects.requireNonNull(DoctorIT.class.getResourceAsStream("/" + type), type)) {
            jar.putNextEntry(new JarEntry(type));
            content.transferTo(jar);
            jar.putNextEntry(new JarEntry("META-INF/maven/io.txn/" + artifact + "/pom.properties"));
            jar.write(("version=" + version + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return file;
    }

    /** The real one, which the build has for other tests. */
    private static List<Path> seataClient() throws IOException {
        try (InputStream list =
                Objects.requireNonNull(DoctorIT.class.getResourceAsStream("/txn-test-seata-client-2.6.classpath"))) {
            return Stream.of(new String(list.readAllBytes(), StandardCharsets.UTF_8)
                            .trim()
                            .split(java.io.File.pathSeparator))
                    .map(Path::of)
                    .filter(path -> path.getFileName().toString().startsWith("seata-"))
                    .toList();
        }
    }

    // The start

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Application {}

    @Test
    void theStartTellsEachProblemOnOneLineUnlessItIsAccepted() {
        String url = memory();
        JdbcTemplate admin = new JdbcTemplate(new DriverManagerDataSource(url, "sa", ""));
        admin.execute("CREATE TABLE audit (line VARCHAR(100))");
        try (ConfigurableApplicationContext context = application(url)) {
            LogLines log = context.getBean(LogLines.class);
            Await.until(
                    "the doctor has told",
                    Duration.ofSeconds(20),
                    () -> log.from(Level.WARN).size() == 2);
            assertThat(log.from(Level.WARN))
                    .anySatisfy(line -> assertThat(line)
                            .contains("TXN-AT003: the table has neither a primary key")
                            .contains(
                                    "[dataSource: global transactions cannot write to AUDIT]. Fix: add a primary key"))
                    .anySatisfy(line -> assertThat(line)
                            .contains(
                                    "TXN-CFG003: a configuration key, or a class that one excludes, is not known, so it does nothing"
                                            + " [txn.client.conect-wait: in ")
                            .contains("did you mean txn.client.connect-wait?]. Fix: "));
            assertThat(log.from(Level.INFO)).anyMatch(line -> line.contains("Global transactions: 2 problems."));
        }
        LogLines quiet;
        try (ConfigurableApplicationContext context = application(url, "--txn.doctor.accepted=TXN-AT003,TXN-CFG003")) {
            LogLines log = context.getBean(LogLines.class);
            Await.until("the doctor has told", Duration.ofSeconds(20), () -> !log.from(Level.INFO)
                    .isEmpty());
            quiet = log;
        } // which waits for the doctor
        assertThat(quiet.from(Level.INFO)).singleElement().satisfies(line -> assertThat(line)
                .contains("2 problems"));
    }

    private static ConfigurableApplicationContext application(String url, String... more) {
        SpringApplication application = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                // Not before: Spring Boot sets up the logging anew.
                .initializers(context ->
                        context.getBeanFactory().registerSingleton("logLines", LogLines.of(Doctor.class.getName())))
                .build();
        List<String> arguments = new ArrayList<>(List.of(
                "--" + coordinator.property(),
                "--spring.datasource.url=" + url,
                "--spring.jmx.enabled=false",
                "--txn.client.conect-wait=3s"));
        arguments.addAll(List.of(more));
        return application.run(arguments.toArray(String[]::new));
    }

    /** Something that an application brings itself. */
    @Test
    void anExaminationThatFailsIsAFindingAndDoesNotEndTheOthers() {
        Examination failing = new Examination() {
            @Override
            public String about() {
                return "stock";
            }

            @Override
            public List<Finding> examine() {
                throw new IllegalStateException("cannot look");
            }
        };
        runner.withBean("failing", Examination.class, () -> failing).run(context -> {
            Finding failed = only(problems(context));
            assertThat(failed.code()).isEqualTo(ErrorCode.EXAMINATION_FAILED);
            assertThat(failed.seen()).contains("cannot look");
        });
    }
}
