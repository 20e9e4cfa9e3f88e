package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.RuntimeHintsRegistrar;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.beans.factory.aot.AotServices;

class DiscoveryHintsTest {

    /** As the processing ahead of time finds it: by the file that names it. */
    @Test
    void aNativeImageCanBindWhatIsNoBean() {
        RuntimeHints hints = new RuntimeHints();
        AotServices.factories().load(RuntimeHintsRegistrar.class).stream()
                .filter(registrar -> registrar instanceof DiscoveryHints)
                .forEach(registrar -> registrar.registerHints(hints, getClass().getClassLoader()));
        for (Class<?> type : List.of(EtcdProperties.class, NacosProperties.class, DiscoveryProperties.class)) {
            assertThat(RuntimeHintsPredicates.reflection()
                            .onConstructor(type.getDeclaredConstructors()[0])
                            .invoke())
                    .as("%s", type)
                    .accepts(hints);
        }
    }
}
