package io.txn.spring.autoconfigure;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * A coordinator within the application, for development and tests.
 *
 * @param enabled whether a coordinator runs within this application; it needs io.txn:txn-coordinator on the class path, and goes before every other that is configured
 * @param dataDir where it keeps its journal; when unset, in a temporary directory that is deleted at the end
 * @param port the port on 127.0.0.1 that it listens on, so that other applications of this machine can name it in txn.coordinator.address; 0 takes any free one
 * @param shutdownTimeout how long a stopping application waits until its coordinator has carried out what was decided; what is left is kept and said
 */
@ConfigurationProperties("txn.embedded")
record EmbeddedProperties(
        @DefaultValue("false") boolean enabled,
        @Nullable Path dataDir,
        @DefaultValue("0") int port,
        @DefaultValue("10s") Duration shutdownTimeout) {}
