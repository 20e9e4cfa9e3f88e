package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EtcdSettingsTest {

    @Test
    void endpointsAreTakenWithoutBlanksAndSlashes() {
        EtcdSettings settings =
                new EtcdSettings(List.of(" http://a:2379/ ", "", "https://[::1]:2379"), "blue", "zoe", "secret");
        assertThat(settings.endpoints()).containsExactly("http://a:2379", "https://[::1]:2379");
        assertThat(settings.toString()).contains("cluster blue").contains("zoe").doesNotContain("secret");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "127.0.0.1:2379", "ftp://a:1", "http://a:1/path", "http://user@a:1", "http://a b:1"})
    void whatIsNoEndpointIsRefused(String endpoint) {
        assertThatThrownBy(() -> EtcdSettings.of(endpoint)).hasMessageContaining("txn.etcd.endpoints");
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://zoe:s3cret@a:1", "https://zoe:s3/cret@s3cret@a:1", "zoe:s3cret@a:1"})
    void aRefusalDoesNotRepeatAPassword(String endpoint) {
        assertThatThrownBy(() -> EtcdSettings.of(endpoint))
                .hasMessageContaining("http://host:port: ***@a:1")
                .hasMessageNotContainingAny("s3", "zoe");
    }

    @Test
    void aClusterIsPartOfAKeyAndAUserHasAPassword() {
        assertThatThrownBy(() -> new EtcdSettings(List.of("http://a:1"), "a/b", null, null))
                .hasMessageContaining("txn.etcd.cluster");
        assertThatThrownBy(() -> new EtcdSettings(List.of("http://a:1"), "a", "zoe", null))
                .hasMessageContaining("txn.etcd.username");
    }
}
