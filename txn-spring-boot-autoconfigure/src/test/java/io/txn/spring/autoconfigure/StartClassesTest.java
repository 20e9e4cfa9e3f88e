package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
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
}
