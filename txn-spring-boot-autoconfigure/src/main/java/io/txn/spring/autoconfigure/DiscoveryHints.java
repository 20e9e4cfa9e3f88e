package io.txn.spring.autoconfigure;

import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.boot.context.properties.bind.BindableRuntimeHintsRegistrar;

/** What a native image has to know of the properties that are bound without being beans. Runs when an application is processed ahead of time, and never else. */
final class DiscoveryHints implements RuntimeHintsRegistrar {

    @Override
    public void registerHints(RuntimeHints hints, @Nullable ClassLoader loader) {
        BindableRuntimeHintsRegistrar.forTypes(EtcdProperties.class, NacosProperties.class, DiscoveryProperties.class)
                .registerHints(hints);
    }
}
