package io.txn.spring.autoconfigure;

import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where the coordinator is.
 *
 * @param address the coordinator's host:port; several only when they are one cluster. Goes before a registry
 */
@ConfigurationProperties("txn.coordinator")
record CoordinatorProperties(@DefaultValue List<String> address) {

    CoordinatorProperties {
        address = List.copyOf(address);
    }

    static CoordinatorProperties defaults() {
        return new CoordinatorProperties(List.of());
    }
}
