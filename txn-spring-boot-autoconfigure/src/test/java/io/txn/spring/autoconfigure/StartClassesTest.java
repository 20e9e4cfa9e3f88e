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
import org.springframework.boot.context.event.ApplicationFailedEvent;
import org.springframework.mock.env.MockEnvironment;

class StartClassesTest {

    /** Nobody is told at a start. BootLineIT looks for what is missing in the list. */
    @Test
    void eachClassThatIsLoadedAheadIsThere() throws IOException {
        List<String> names = StartClasses.names();
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

    @Test
    void nothingIsLoadedAheadOfAStartThatIsOver() {
        Logger logger = (Logger) LoggerFactory.getLogger(StartClasses.class);
        Level before = logger.getLevel();
        logger.setLevel(Level.TRACE);
        try (LogLines log = LogLines.of(logger.getName())) {
            StartClasses failed = new StartClasses();
            failed.onApplicationEvent(new ApplicationFailedEvent(
                    new SpringApplication(), new String[0], null, new IllegalStateException("no database")));
            failed.load();
            assertThat(log.from(Level.TRACE)).isEmpty();
            new StartClasses().load();
            assertThat(log.from(Level.TRACE))
                    .anyMatch(line -> line.contains("class=io.txn."))
                    .as("a class that is only loaded is not linked for its constructors")
                    .anyMatch(line -> line.contains("class=io.txn.client.saga.Sagas constructors=-1"));
        } finally {
            logger.setLevel(before);
        }
    }
}
