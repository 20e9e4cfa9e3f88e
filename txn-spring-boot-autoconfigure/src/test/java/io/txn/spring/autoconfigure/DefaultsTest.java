package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.env.RandomValuePropertySource;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** What is taken where nothing is set, without binding anything, is what binding would give. */
class DefaultsTest {

    static Stream<Record> defaults() {
        return Stream.of(
                ClientProperties.defaults(),
                JdbcProperties.defaults(),
                XaProperties.defaults(),
                FenceProperties.defaults(),
                PropagationProperties.defaults(),
                StateMachineProperties.defaults(),
                DoctorProperties.defaults(),
                CoordinatorProperties.defaults(),
                NacosProperties.defaults(),
                EtcdProperties.defaults(),
                DiscoveryProperties.defaults());
    }

    @ParameterizedTest
    @MethodSource("defaults")
    void areWhatIsBoundWhereNothingIsSet(Record defaults) {
        Class<? extends Record> type = defaults.getClass();
        String prefix = type.getAnnotation(ConfigurationProperties.class).value();
        assertThat(defaults).usingRecursiveComparison().isEqualTo(new Binder(List.of()).bindOrCreate(prefix, type));
    }

    /** Whatever form a key is written in, and wherever: then binding decides. */
    @Test
    void aKeyIsSeenInEveryFormAndPlace() {
        StandardEnvironment environment = new StandardEnvironment();
        MutablePropertySources sources = environment.getPropertySources();
        sources.replace(
                StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME,
                        Map.of("TXN_SAGA_STATEMACHINE_RESOURCES", "classpath*:*.json")));
        sources.addFirst(new RandomValuePropertySource());
        sources.addLast(new MapPropertySource("file", Map.of("txn.jdbc.createUndoTable", "false")));

        assertThat(BeanRegistrations.mayBeSet(environment, "txn.saga.state-machine"))
                .isTrue();
        assertThat(BeanRegistrations.mayBeSet(environment, "txn.jdbc")).isTrue();
        assertThat(BeanRegistrations.mayBeSet(environment, "txn.fence")).isFalse();
    }

    /** Such a source may have anything. */
    @Test
    void aSourceThatCannotSayWhatItHasIsAsked() {
        StandardEnvironment environment = new StandardEnvironment();
        environment.getPropertySources().addLast(new PropertySource<>("remote", new Object()) {
            @Override
            public @Nullable Object getProperty(String name) {
                return null;
            }
        });
        assertThat(BeanRegistrations.mayBeSet(environment, "txn.fence")).isTrue();
    }
}
