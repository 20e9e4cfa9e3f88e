package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {

    @Test
    void readsNamesAndAddresses() {
        assertThat(HostPort.parse(" coordinator.example:8091 ")).isEqualTo(new HostPort("coordinator.example", 8091));
        assertThat(HostPort.parse("[::1]:8091")).isEqualTo(new HostPort("::1", 8091));
        assertThat(HostPort.parse("[::1]:8091")).hasToString("[::1]:8091");
        assertThat(HostPort.parse("127.0.0.1:1")).hasToString("127.0.0.1:1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "coordinator",
                ":8091",
                "a:",
                "a:b",
                "a:0",
                "a:65536",
                "http://a:80",
                "::1:8091",
                "a b:1",
                "[]:1",
                "a/b:1"
            })
    void namesWhatIsWrongWithAnAddress(String text) {
        assertThatThrownBy(() -> HostPort.parse(text)).isInstanceOfSatisfying(TxnException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
            assertThat(e.facts()).containsKey("problem");
        });
    }

    @Test
    void aListIsReadOnceEachAndMustNameSomebody() {
        assertThat(AddressListLocator.of(List.of("a:1", " ", "b:2", "a:1")).current())
                .containsExactly(new HostPort("a", 1), new HostPort("b", 2));
        assertThatThrownBy(() -> AddressListLocator.of(List.of("", " ")))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.COORDINATOR_NOT_CONFIGURED));
    }
}
