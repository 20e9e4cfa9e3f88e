package io.txn.coordinator.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.Coordinator;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.TransportOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

/** What those who are refused can do to the log. */
@ExtendWith(OutputCaptureExtension.class)
@Timeout(120)
class StrangersIT {

    @TempDir
    Path directory;

    private void whileRefusing(Message.Request request, int times) throws Exception {
        try (ConfigurableApplicationContext context = CoordinatorApplication.application()
                        .run(
                                "--server.port=0",
                                "--txn.coordinator.tcp.port=0",
                                "--txn.coordinator.data-dir=" + directory,
                                "--txn.coordinator.clients[0].name=shop",
                                "--txn.coordinator.clients[0].token=a-token-of-the-test");
                RpcClient client = new RpcClient(TransportOptions.DEFAULTS.withIoThreads(1))) {
            int port = context.getBean(Coordinator.class).tcpPort();
            for (int i = 0; i < times; i++) {
                RpcConnection stranger = client.connect("127.0.0.1", port, (connection, frame) -> {})
                        .get(30, TimeUnit.SECONDS);
                // Answered, or ended by the end of the connection.
                stranger.request(request, Duration.ofSeconds(60))
                        .handle((answer, failure) -> "")
                        .get(60, TimeUnit.SECONDS);
                stranger.close();
            }
        }
    }

    @Test
    void whatAStrangerCallsItselfDoesNotLookLikeALineOfOurs(CapturedOutput output) throws Exception {
        String forged = "orders\nFORGED the data is lost\u001b[2J";
        whileRefusing(new Message.RegisterTmRequest("2.6.0", forged, "group", "ak=some\rbody\ndigest=x\n"), 1);

        List<String> lines = output.getAll().lines().toList();
        assertThat(lines)
                .anyMatch(line -> line.contains("refused a registration") && line.contains("the data is lost"))
                .noneMatch(line -> line.startsWith("FORGED") || line.contains("\u001b[2J"));
    }

    @Test
    void theReasonOfARefusalIsOneLineToo(CapturedOutput output) throws Exception {
        whileRefusing(new Message.RegisterTmRequest("2.6.0", "orders", "group", "ak=some\rFORGED\ndigest=x\n"), 1);

        assertThat(output.getAll().lines())
                .anyMatch(line -> line.contains("refused a registration"))
                .noneMatch(line -> line.startsWith("FORGED"));
    }

    @Test
    void whoAsksBeforeRegisteringCannotFillTheLog(CapturedOutput output) throws Exception {
        whileRefusing(new Message.GlobalBeginRequest(60_000, "purchase"), 100);

        assertThat(output.getAll().lines().filter(line -> line.contains("before it registers")))
                .hasSizeBetween(1, 40);
    }
}
