package io.txn.coordinator.app.registration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.TxnException;
import io.txn.test.Await;
import java.io.IOException;
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

/** What is asked of a registry that fails in every way; {@code NacosIT} and {@code EtcdIT} have real ones. */
class RegistrationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private final Queue<Exception> failures = new ConcurrentLinkedQueue<>();
    private final Queue<Registry.Presence> presences = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean healthy = new AtomicBoolean(true);
    private final Registry registry = new Registry() {
        private void asked(String what) throws Exception {
            asked.add(what);
            Exception failure = failures.poll();
            if (failure != null) {
                throw failure;
            }
        }

        @Override
        public void join(Advertised self) throws Exception {
            asked("join " + self.address());
        }

        @Override
        public Presence look() throws Exception {
            asked("look");
            Presence presence = presences.poll();
            return presence == null ? Presence.LISTED : presence;
        }

        @Override
        public void leave() throws Exception {
            asked("leave");
        }

        @Override
        public void close() {
            asked.add("close");
        }
    };
    private final Registration registration = new Registration(
            registry,
            () -> Advertised.of("coordinator.internal:8091", Map.of()),
            healthy::get,
            new Random(1),
            Duration.ofMillis(50));

    @AfterEach
    void stop() {
        registration.stop();
    }

    private long count(String what) {
        return asked.stream().filter(one -> one.startsWith(what)).count();
    }

    private void await(String what, long times) {
        Await.until(times + " times " + what + ", so far " + asked, PATIENCE, () -> count(what) >= times);
    }

    @Test
    void whateverTheLibraryThrowsTheRegistrationGoesOn() {
        registration.start();
        await("look", 1);
        failures.add(new IllegalStateException("simulated"));
        await("look", count("look") + 2);
        healthy.set(false);
        failures.add(new NullPointerException("simulated"));
        failures.add(new java.io.IOException("simulated"));
        await("leave", 2);
        Await.until("all failures are through", PATIENCE, failures::isEmpty);
        // Whether the registry took it out is not known, so it is told again.
        healthy.set(true);
        await("join", 2);
        registration.stop();
        assertThat(asked).endsWith("leave", "close");
    }

    @Test
    void whoDoesNotServeIsNotRegistered() {
        healthy.set(false);
        registration.start();
        failures.add(new IllegalStateException("simulated"));
        healthy.set(true);
        await("join", 2);
        assertThat(asked).doesNotContain("leave");
        healthy.set(false);
        await("leave", 1);
        registration.stop();
        assertThat(count("leave")).isEqualTo(1);
    }

    @Test
    void whoWasForgottenJoinsAgain() {
        registration.start();
        await("look", 1);
        presences.add(Registry.Presence.AWAY);
        presences.add(Registry.Presence.FORGOTTEN);
        await("join", 2);
        await("look", count("look") + 1);
        registration.stop();
        assertThat(asked.get(0)).as("a host name stays a name").isEqualTo("join coordinator.internal:8091");
    }

    @Test
    void anAddressStaysAsItIs() {
        assertThat(Advertised.of("[fd00::1]:8091", Map.of()).host()).isEqualTo("fd00::1");
        assertThat(Advertised.of("[fd00::1]:8091", Map.of()).address()).isEqualTo("[fd00::1]:8091");
        assertThat(Advertised.of("coordinator.internal:8091", Map.of()).address())
                .isEqualTo("coordinator.internal:8091");
    }

    @Test
    void loopbackIsToldOnlyToARegistryOnThisMachine() {
        Advertised self = Advertised.of("127.0.0.1:8091", Map.of());
        self.refuseLoopbackBeyond(
                List.of("127.0.0.1:8848", "http://[::1]:2379", "http://user:pw@localhost:8761/eureka"));
        Advertised.of("10.0.0.1:8091", Map.of()).refuseLoopbackBeyond(List.of("10.0.0.2:8848"));
        for (String far :
                new String[] {"10.0.0.2:8848", "http://10.0.0.2:2379", "http://ann:pw@10.0.0.2:8761/eureka"}) {
            assertThatThrownBy(() -> self.refuseLoopbackBeyond(List.of("localhost:1", far)))
                    .isInstanceOf(TxnException.class)
                    .hasMessageContaining("txn.coordinator.advertised-address")
                    .hasMessageContaining("10.0.0.2")
                    .hasMessageNotContaining("pw");
        }
    }

    /** Hosts with an underscore and spaces in a password are no URLs to Java, whose messages repeat them whole. */
    @Test
    void noLineAndNoRefusalShowsAPassword() {
        for (String server : List.of(
                "http://root:secret@etcd:2379",
                "http://root:secret@etcd_1:2379",
                "http://root:se cret@etcd:2379",
                "http://root:sec/ret@etcd:2379",
                "http://root:sec@ret@etcd:2379",
                "root:secret@etcd:2379")) {
            List<String> servers = List.of(server);
            Advertised loopback = Advertised.of("127.0.0.1:8091", Map.of());
            EtcdRegistry etcd = new EtcdRegistry(servers, "default", null, null);
            EurekaRegistry eureka = new EurekaRegistry(servers, "txn-coordinator");
            assertThat(List.of(
                            etcd.toString(),
                            eureka.toString(),
                            new NacosRegistry.Target(server, "", "G", "s", "c", null, null, null, null).toString()))
                    .as(server)
                    .allSatisfy(text -> assertThat(text).contains("etcd").doesNotContain("sec", "ret", "root"));
            assertThatThrownBy(() -> loopback.refuseLoopbackBeyond(servers))
                    .message()
                    .doesNotContain("sec", "ret", "root:");
        }
        for (Registry registry : List.of(
                new EtcdRegistry(List.of("http://root:se cret@127.0.0.1:1"), "default", null, null),
                new EurekaRegistry(List.of("http://root:se cret@127.0.0.1:1"), "txn-coordinator"))) {
            assertThatThrownBy(() -> registry.join(Advertised.of("127.0.0.1:8091", Map.of())))
                    .isInstanceOf(IOException.class)
                    .message()
                    .contains("127.0.0.1:1")
                    .doesNotContain("cret");
        }
    }
}
