package io.txn.coordinator.app.admin;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.test.Await;
import io.txn.test.TestAuthority;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import tools.jackson.databind.json.JsonMapper;

class AdminControllerTest {

    private static final MultiValueMap<String, String> NOTHING = new LinkedMultiValueMap<>();

    @TempDir
    Path directory;

    /** One that came from somewhere, with these certificates, and says nothing else. */
    private static HttpServletRequest request(X509Certificate... certificates) {
        return (HttpServletRequest) Proxy.newProxyInstance(
                HttpServletRequest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "getRemoteAddr" -> "127.0.0.1";
                    case "getAttribute" -> certificates;
                    default -> null;
                });
    }

    @Test
    void answersAreMadeOnTheThreadsMeantForThem() throws Exception {
        BlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
        try (Coordinator coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory))) {
            AdminController controller = new AdminController(coordinator, JsonMapper.shared(), work::add);
            List<CompletableFuture<?>> answers = List.of(
                    controller.transactions(NOTHING),
                    controller.locks(NOTHING),
                    controller.transaction("127.0.0.1:8091:1", NOTHING),
                    controller.retry("127.0.0.1:8091:1", NOTHING, request()));
            Await.until("all are handed over", Duration.ofSeconds(10), () -> work.size() == answers.size());
            assertThat(answers).noneMatch(CompletableFuture::isDone);
            for (int i = 0; i < answers.size(); i++) {
                work.poll(10, TimeUnit.SECONDS).run();
            }
            assertThat(answers).allMatch(CompletableFuture::isDone);
        }
    }

    @Test
    void aCertificatesNameDoesNotBreakTheLinesOfTheLog() throws Exception {
        X509Certificate odd = new TestAuthority("authority")
                .issue("eve\\0D\\0A2026-01-01 ERROR all is lost\\1B[2J")
                .certificate();
        assertThat(odd.getSubjectX500Principal().getName()).contains("\n", "\u001b");
        Logger logger = (Logger) LoggerFactory.getLogger(AdminController.class);
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.start();
        logger.addAppender(lines);
        try (Coordinator coordinator = Coordinator.start(
                CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory))) {
            AdminController controller = new AdminController(coordinator, JsonMapper.shared(), Runnable::run);
            CompletableFuture<?> answer = controller.retry("127.0.0.1:8091:1", NOTHING, request(odd));
            assertThat(answer).failsWithin(Duration.ofSeconds(30));
            assertThat(lines.list).singleElement().satisfies(line -> assertThat(line.getFormattedMessage())
                    .startsWith("a retry is asked for")
                    .contains("CN=eve??2026-01-01 ERROR all is lost?[2J at 127.0.0.1")
                    .matches("\\P{Cntrl}*"));
        } finally {
            logger.detachAppender(lines);
        }
    }
}
