package io.txn.coordinator.app.nacos;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import io.txn.test.Await;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is asked of a registry whose client library fails in every way; {@code NacosIT} has a real one. */
class NacosRegistrationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean healthy = new AtomicBoolean(true);
    private final NamingService naming = (NamingService) Proxy.newProxyInstance(
            NamingService.class.getClassLoader(), new Class<?>[] {NamingService.class}, (proxy, method, arguments) -> {
                asked.add(method.getName());
                Exception failure = failures.poll();
                if (failure != null) {
                    throw failure;
                }
                return method.getReturnType() == String.class ? "UP" : null;
            });
    private final NacosRegistration registration = new NacosRegistration(
            new NacosRegistration.Target("127.0.0.1:8848", "", "G", "tc", "DEFAULT", null, null),
            "127.0.0.1:8091",
            healthy::get,
            Map::of,
            () -> naming,
            new Random(1));

    @AfterEach
    void stop() {
        registration.stop();
    }

    private long count(String method) {
        return asked.stream().filter(method::equals).count();
    }

    private void await(String method, long times) {
        Await.until(times + " times " + method + ", so far " + asked, PATIENCE, () -> count(method) >= times);
    }

    @Test
    void whateverTheLibraryThrowsTheRegistrationGoesOn() {
        registration.start();
        await("getServerStatus", 1);
        failures.add(new IllegalStateException("simulated"));
        long before = count("getServerStatus");
        await("getServerStatus", before + 2);
        healthy.set(false);
        failures.add(new NullPointerException("simulated"));
        failures.add(new NacosException(500, "simulated"));
        await("deregisterInstance", 2);
        Await.until("all failures are through", PATIENCE, failures::isEmpty);
        // Whether the registry took it out is not known, so it is told again.
        healthy.set(true);
        await("registerInstance", 2);
        registration.stop();
        assertThat(asked).endsWith("deregisterInstance", "shutDown");
    }

    @Test
    void whoDoesNotServeIsNotRegistered() {
        healthy.set(false);
        registration.start();
        failures.add(new IllegalStateException("simulated"));
        healthy.set(true);
        await("registerInstance", 2);
        assertThat(asked).doesNotContain("deregisterInstance");
        healthy.set(false);
        await("deregisterInstance", 1);
        registration.stop();
        assertThat(count("deregisterInstance")).isEqualTo(1);
    }
}
