package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.event.ApplicationFailedEvent;
import org.springframework.mock.env.MockEnvironment;

class StartClassesTest {

    /** Nobody is told at a start. BootLineIT looks for what is missing in the list. */
    @Test
    void eachClassThatIsLoadedAheadIsThere() throws IOException {
        List<String> names = StartClasses.names(StartClasses.NAMES);
        assertThat(names).isNotEmpty().doesNotHaveDuplicates();
        // Some speak of libraries that are not here.
        assertThat(names).allSatisfy(name -> assertThat(
                        getClass().getClassLoader().getResource(name.replace('.', '/') + ".class"))
                .isNotNull());
    }

    @Test
    void nothingIsLoadedAheadWhereTheStarterIsSwitchedOff() {
        MockEnvironment environment = new MockEnvironment();
        assumeThat(Runtime.getRuntime().availableProcessors()).isGreaterThan(1);
        assertThat(StartClasses.isWanted(environment)).isTrue();
        assertThat(StartClasses.isWanted(environment.withProperty("txn.enabled", "false")))
                .isFalse();
    }

    /** As in the bootstrap context of a configuration server, from which the value comes. */
    @Test
    void aKeyWhoseValueComesLaterStopsNoStart() {
        assumeThat(Runtime.getRuntime().availableProcessors()).isGreaterThan(1);
        assertThat(StartClasses.isWanted(new MockEnvironment().withProperty("txn.enabled", "${switch.txn}")))
                .isTrue();
    }

    /** Others load less than the list of Spring Boot's classes says. */
    @Test
    void onlyAServletApplicationThatMakesItsBeansAtTheStartIsUsual() throws IOException {
        SpringApplication application = new SpringApplication();
        application.setWebApplicationType(WebApplicationType.SERVLET);
        assertThat(StartClasses.isUsual(application, new MockEnvironment())).isTrue();
        assertThat(StartClasses.names(StartClasses.ofSpringBoot())).isNotEmpty();
        String type = "spring.main.web-application-type";
        assertThat(StartClasses.isUsual(application, new MockEnvironment().withProperty(type, "servlet")))
                .isTrue();
        assertThat(StartClasses.isUsual(application, new MockEnvironment().withProperty(type, "none")))
                .isFalse();
        assertThat(StartClasses.isUsual(
                        application, new MockEnvironment().withProperty("spring.main.lazy-initialization", "true")))
                .isFalse();
        application.setWebApplicationType(WebApplicationType.NONE);
        assertThat(StartClasses.isUsual(application, new MockEnvironment())).isFalse();
    }

    @Test
    void aLibraryThatIsNotThereIsLookedForOnce() {
        Logger logger = (Logger) LoggerFactory.getLogger(StartClasses.class);
        Level before = logger.getLevel();
        logger.setLevel(Level.TRACE);
        try (LogLines log = LogLines.of(logger.getName())) {
            new StartClasses()
                    .loadAll(
                            List.of(
                                    "no.such.library.First",
                                    "no.such.library.Second",
                                    "io.txn.client.TxnClient",
                                    "io.txn.client.Gone",
                                    "io.txn.client.WorkMode"),
                            false);
            assertThat(log.from(Level.TRACE))
                    .hasSize(4)
                    .noneMatch(line -> line.contains("class=no.such.library.Second"))
                    .anyMatch(line -> line.contains("loaded ahead class=io.txn.client.WorkMode constructors=-1"));
        } finally {
            logger.setLevel(before);
        }
    }

    @Test
    void nothingIsLoadedAheadOfAStartThatIsOver() {
        Logger logger = (Logger) LoggerFactory.getLogger(StartClasses.class);
        Level before = logger.getLevel();
        logger.setLevel(Level.TRACE);
        try (LogLines log = LogLines.of(logger.getName())) {
            StartClasses failed = new StartClasses();
            failed.onApplicationEvent(new ApplicationFailedEvent(
                    new SpringApplication(), new String[0], null, new IllegalStateException("no database")));
            failed.load(false);
            assertThat(log.from(Level.TRACE)).isEmpty();
            new StartClasses().load(false);
            assertThat(log.from(Level.TRACE))
                    .anyMatch(line -> line.contains("class=io.txn."))
                    .as("a class that is only loaded is not linked for its constructors")
                    .anyMatch(line -> line.contains("class=io.txn.client.saga.Sagas constructors=-1"));
        } finally {
            logger.setLevel(before);
        }
    }
}
