package io.txn.client.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What is read out of answers that the registry of the tests does not give, because it has no console and asks for no password: these are written after its
 * documentation. The others are in {@code NacosLocatorIT}.
 */
class NacosProbeTest {

    private static final String NAMESPACES =
            "{\"code\":200,\"message\":null,\"data\":[{\"namespace\":\"\",\"namespaceShowName\":\"public\",\"quota\":200},"
                    + "{\"namespace\":\"7f3c-01\",\"namespaceShowName\":\"prod\",\"quota\":200}]}";

    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String query = String.valueOf(exchange.getRequestURI().getQuery());
            String answer = answers.get(exchange.getRequestURI().getPath());
            boolean login = exchange.getRequestMethod().equals("POST");
            boolean known = login || !answers.containsKey("/nacos/v1/auth/login") || query.contains("accessToken=abc");
            byte[] bytes = (answer == null ? "" : answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(
                    answer == null ? 404 : known ? 200 : 403, bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                exchange.getResponseBody().write(bytes);
            }
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private NacosSettings settings() {
        return NacosSettings.of("127.0.0.1:" + server.getAddress().getPort());
    }

    @Test
    void theNameOfANamespaceIsToldFromItsId() {
        answers.put("/nacos/v1/console/namespaces", NAMESPACES);
        assertThat(new NacosProbe(settings().withNamespace("prod")).elsewhere())
                .contains("namespace prod is a name")
                .contains("the id of this one is 7f3c-01");
        assertThat(new NacosProbe(settings().withNamespace("test")).elsewhere())
                .contains("there is no namespace with the id test");
        assertThat(new NacosProbe(settings().withNamespace("7f3c-01")).elsewhere())
                .isNull();
    }

    @Test
    void publicNamesThePublicNamespaceToo() {
        answers.put("/nacos/v1/console/namespaces", NAMESPACES);
        assertThat(new NacosProbe(settings().withNamespace("public")).elsewhere())
                .isNull();
        answers.put(
                "/nacos/v1/ns/catalog/services",
                "{\"count\":1,\"serviceList\":[{\"name\":\"txn-coordinator\",\"groupName\":\"TXN\",\"ipCount\":1}]}");
        assertThat(new NacosProbe(settings().withNamespace("public")).elsewhere())
                .contains("nobody is registered in group DEFAULT_GROUP, but in [TXN]");
    }

    /** As a registry is that is there for days without a coordinator. */
    @Test
    void manyLooksLeaveNoThreadsBehind() {
        answers.put("/nacos/v1/console/namespaces", NAMESPACES);
        NacosProbe probe = new NacosProbe(settings());
        probe.elsewhere();
        Set<Thread> before = Thread.getAllStackTraces().keySet();
        for (int look = 0; look < 20; look++) {
            probe.elsewhere();
        }
        Set<Thread> after = new HashSet<>(Thread.getAllStackTraces().keySet());
        after.removeAll(before);
        assertThat(after)
                .extracting(Thread::getName)
                .filteredOn(name -> name.startsWith("HttpClient-") && name.endsWith("-SelectorManager"))
                .isEmpty();
    }

    @Test
    void theNewerPathsAreAskedWhereTheOlderAreGone() {
        answers.put("/nacos/v3/console/core/namespace/list", NAMESPACES);
        answers.put(
                "/nacos/v3/admin/ns/service/list",
                "{\"code\":0,\"data\":{\"totalCount\":1,\"pageItems\":[{\"name\":\"txn-coordinator\",\"groupName\":\"TXN\",\"ipCount\":1}]}}");
        assertThat(new NacosProbe(settings().withNamespace("prod")).elsewhere()).contains("7f3c-01");
        assertThat(new NacosProbe(settings()).elsewhere()).contains("but in [TXN]");
    }

    @Test
    void whoHasAPasswordShowsItAndASilentServerIsNoError() {
        answers.put("/nacos/v1/auth/login", "{\"accessToken\":\"abc\",\"tokenTtl\":18000}");
        answers.put("/nacos/v1/console/namespaces", NAMESPACES);
        assertThat(new NacosProbe(settings().withNamespace("prod")).elsewhere()).isNull();
        assertThat(new NacosProbe(settings().withNamespace("prod").withUser("nacos", "nacos")).elsewhere())
                .contains("7f3c-01");
        server.stop(0);
        assertThat(new NacosProbe(settings()).elsewhere()).isNull();
    }
}
