package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What clients call things stands in the log, where it must not pass for lines of the coordinator's own. */
class LoggedTextTest {

    private static final Duration MAX = Duration.ofSeconds(60);
    private static final String BREAK = "\r\n2026-01-01 ERROR all is lost\u001b[2J";

    @TempDir
    Path directory;

    private final List<String> lines = new CopyOnWriteArrayList<>();

    @Test
    void namesOfTransactionsAndResourcesBreakNoLines() {
        AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
            @Override
            protected void append(ILoggingEvent event) {
                lines.add(event.getFormattedMessage());
            }
        };
        appender.start();
        Logger logger = (Logger) LoggerFactory.getLogger("io.txn.coordinator");
        logger.addAppender(appender);
        try (Coordinator coordinator = Coordinator.start(
                        CoordinatorOptions.DEFAULTS.withListen("127.0.0.1", 0).withDataDir(directory));
                TcpApplication application = new TcpApplication(coordinator.tcpPort(), "shop")) {
            application.rollback(application.begin("buy" + BREAK));
            String stays = application.begin("sell");
            application.register(stays, "db" + BREAK, "t:1");
            application.rollback(stays);
            for (String line : List.of("rolled back", "nobody is there to finish branches")) {
                Await.until("the log says: " + line, MAX, () -> lines.stream()
                        .anyMatch(said -> said.startsWith(line) && said.contains("all is lost")));
            }
        } finally {
            logger.detachAppender(appender);
        }
        assertThat(lines).allMatch(line -> line.matches("\\P{Cntrl}*"));
    }
}
