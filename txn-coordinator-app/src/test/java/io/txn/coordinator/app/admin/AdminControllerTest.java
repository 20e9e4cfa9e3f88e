package io.txn.coordinator.app.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.test.Await;
import jakarta.servlet.http.HttpServletRequest;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import tools.jackson.databind.json.JsonMapper;

class AdminControllerTest {

    private static final MultiValueMap<String, String> NOTHING = new LinkedMultiValueMap<>();

    @TempDir
    Path directory;

    /** One that came from somewhere and says nothing else. */
    private static HttpServletRequest request() {
        return (HttpServletRequest) Proxy.newProxyInstance(
                HttpServletRequest.class.getClassLoader(),
                new Class<?>[] {HttpServletRequest.class},
                (proxy, method, arguments) -> method.getName().equals("getRemoteAddr") ? "127.0.0.1" : null);
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
}
