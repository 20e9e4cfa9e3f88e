package io.txn.protocol.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import io.netty.util.Version;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** The tests of this package run on both lines of Netty; here it shows that they do, and that leaks are looked for. */
class NettyVersionTest {

    @Test
    void theTestsRunOnTheLineTheyMean() {
        String line = System.getProperty("txn.test.netty", "4.1");
        assertThat(Objects.requireNonNull(Version.identify().get("netty-common"))
                        .artifactVersion())
                .startsWith(line + ".");
        assertThat(Objects.requireNonNull(Version.identify().get("netty-handler"))
                        .artifactVersion())
                .startsWith(line + ".");
    }

    @Test
    void everyBufferIsWatched() {
        assertThat(ResourceLeakDetector.getLevel()).isEqualTo(ResourceLeakDetector.Level.PARANOID);
    }
}
