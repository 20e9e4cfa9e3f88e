package io.txn.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class DemoOptionsTest {

    @Test
    void withoutArgumentsItRunsOnEmbeddedDatabasesAndEnds() {
        DemoOptions options = DemoOptions.parse(new String[0], "");
        assertThat(options.stay()).isFalse();
        assertThat(options.help()).isFalse();
        assertThat(options.url()).isNull();
    }

    @Test
    void takesAServerAndItsUser() {
        DemoOptions options = DemoOptions.parse(
                new String[] {"--stay", "--url", "jdbc:mariadb://db:3306/", "--user", "me", "--password-env", "PATH"},
                "");
        assertThat(options.stay()).isTrue();
        assertThat(options.url()).isEqualTo("jdbc:mariadb://db:3306/");
        assertThat(options.user()).isEqualTo("me");
        assertThat(options.password()).isEqualTo(System.getenv("PATH"));
    }

    @Test
    void refusesWhatItDoesNotUnderstandAndShowsTheUsage() {
        for (String[] arguments : new String[][] {{"--sty"}, {"--url"}, {"--user", "me"}}) {
            assertThatThrownBy(() -> DemoOptions.parse(arguments, ""))
                    .isInstanceOf(DemoFailure.class)
                    .hasMessageContaining("Usage: samples/demo/run");
        }
        assertThatThrownBy(() -> DemoOptions.parse(
                        new String[] {"--url", "x", "--password-env", "NO_SUCH_VARIABLE_OF_THE_DEMO"}, ""))
                .hasMessageContaining("NO_SUCH_VARIABLE_OF_THE_DEMO is not set");
    }

    @Test
    void refusesServersItDoesNotKnowBeforeConnecting() {
        assertThatThrownBy(() -> ServerDatabases.create("jdbc:oracle:thin:@db", "", "", "x"))
                .isInstanceOf(DemoFailure.class)
                .hasMessageContaining("jdbc:mariadb://host:port/");
        assertThatThrownBy(() -> ServerDatabases.create("jdbc:postgresql://db/", "", "", "x"))
                .hasMessageContaining("name a database");
    }
}
