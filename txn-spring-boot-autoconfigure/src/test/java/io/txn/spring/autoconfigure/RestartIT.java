package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.test.Await;
import io.txn.test.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An application that ends leaves nothing in its JVM: no thread, connection, MBean or class. */
@Timeout(240)
class RestartIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    @Test
    void startedAndClosedAgainAndAgainNothingIsLeft() {
        run(0); // what a library makes once for the JVM is there afterwards
        Await.untilPasses(
                "the first has ended", MAX, () -> assertThat(ownThreads()).isEmpty());
        Set<ObjectName> beans = beans();
        long sockets = sockets();
        for (int i = 1; i <= 2; i++) {
            run(i);
            Await.untilPasses("everything of it has ended", MAX, () -> {
                assertThat(ownThreads()).isEmpty();
                assertThat(beans()).isEqualTo(beans);
                assertThat(sockets()).isEqualTo(sockets);
            });
        }
    }

    /** With a coordinator within, so that it holds for both. */
    private static void run(int number) {
        try (SmallShop shop = SmallShop.start("restart" + number, "txn.embedded.enabled=true")) {
            shop.sell(1, () -> {});
            assertThat(catchThrowable(() -> shop.sell(2, () -> {
                        throw new IllegalStateException("roll back");
                    })))
                    .hasMessage("roll back");
            assertThat(shop.sold()).containsExactly(1);
            assertThat(ownThreads()).isNotEmpty();
        }
    }

    /** The whole of it, Spring, Netty and this product included, in a class loader of its own, as an application server does it. */
    @Test
    void theClassesOfAnApplicationThatEndedAreCollected() {
        try (JavaProcess redeployed = JavaProcess.mainClass(RedeployMain.class)
                .jvm("-XX:SoftRefLRUPolicyMSPerMB=0", "-Dorg.springframework.boot.logging.LoggingSystem=none")
                .args("1")
                .start(directory.resolve("redeploy.log"))) {
            assertThat(redeployed.waitFor(Duration.ofSeconds(200))).isTrue();
            assertThat(redeployed.exitCode()).as(redeployed.output()).hasValue(0);
            assertThat(redeployed.output()).contains("the run before 1 are collected");
        }
    }

    private static Set<String> ownThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("txn") || name.startsWith("restart"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<ObjectName> beans() {
        return ManagementFactory.getPlatformMBeanServer().queryNames(null, null);
    }

    private static long sockets() {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(RestartIT::isSocket).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }
}
