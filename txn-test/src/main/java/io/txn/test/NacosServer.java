package io.txn.test;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A real Nacos server (naming only) in a JVM of its own. Its HTTP port listens on 127.0.0.1; the three ports it derives
 * from that one (gRPC at +1000 and +1001, Raft at -1000) listen on all interfaces, which the server does not let one
 * change. Thread-safe.
 */
public final class NacosServer implements AutoCloseable {

    private static final ForkedModule MODULE =
            new ForkedModule("txn-test-nacos", "io.txn.test.nacos.NacosServerMain", "/nacos-test-server.classpath");
    private static final Duration START_WAIT = Duration.ofSeconds(180);

    private final int port;
    private final Path home;
    private final String[] user;
    private @Nullable JavaProcess process;

    private NacosServer(Path home, String... user) {
        this.port = Ports.freeWith(1000, 1001, -1000);
        this.home = home.toAbsolutePath();
        this.user = user.clone();
    }

    /** A server that is away until it is {@linkplain #restart() started}. */
    public static NacosServer away(Path home) {
        return new NacosServer(home);
    }

    /**
     * Starts a server on free ports; returns when it is up.
     *
     * @param home receives everything the server writes, its output in {@code server.log}; created if need be
     */
    public static NacosServer start(Path home) {
        NacosServer server = away(home);
        server.restart();
        return server;
    }

    /** The same, of a server that asks everybody for this user and password. */
    public static NacosServer start(Path home, String user, String password) {
        NacosServer server = new NacosServer(home, user + ':' + password);
        server.restart();
        return server;
    }

    public int port() {
        return port;
    }

    /** What clients are told: host and port. */
    public String serverAddr() {
        return "127.0.0.1:" + port;
    }

    /** SIGKILL; returns when the server is gone. */
    public synchronized void kill9() {
        if (process != null) {
            process.kill9();
        }
    }

    /** Starts the server, again on the same port and home after {@link #kill9()}; returns when it is up. */
    public synchronized void restart() {
        if (process != null && process.isAlive()) {
            throw new IllegalStateException("the server is still running");
        }
        JavaProcess launched = launch();
        process = launched;
        awaitUp(launched);
    }

    private JavaProcess launch() {
        try {
            Files.createDirectories(home);
            // First on the class path a plain directory: with jars alone the server finds no root of its class path and
            // dies.
            String classPath = String.join(File.pathSeparator, home.toString(), MODULE.classPath());
            Path arguments = Files.writeString(home.resolve("class-path"), "-cp\n\"" + classPath + "\"\n");
            JavaProcess.Builder builder = JavaProcess.mainClass(MODULE.mainClass())
                    .classPath("")
                    .args(Stream.concat(Stream.of(Integer.toString(port), home.toString()), Stream.of(user))
                            .toArray(String[]::new));
            for (String opened :
                    new String[] {"java.lang", "java.util", "java.util.concurrent", "java.math", "sun.net.util"}) {
                builder.jvm("--add-opens=java.base/" + opened + "=ALL-UNNAMED");
            }
            return builder.jvm("@" + arguments).directory(home).start(home.resolve("server.log"));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start Nacos in " + home, e);
        }
    }

    private void awaitUp(JavaProcess launched) {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest health = HttpRequest.newBuilder(
                        URI.create("http://" + serverAddr() + "/nacos/v2/core/cluster/node/self/health"))
                .timeout(Duration.ofSeconds(10))
                .build();
        Await.until("Nacos is up on " + serverAddr(), START_WAIT, () -> {
            if (!launched.isAlive()) {
                throw new AssertionError("Nacos ended; its output is in " + launched.log() + "\n" + launched.output());
            }
            HttpResponse<String> answer = client.send(health, HttpResponse.BodyHandlers.ofString());
            // One that asks for a password is up when it refuses who shows none.
            return answer.body().contains("UP") || user.length > 0 && answer.statusCode() == 403;
        });
    }

    /** Kills the server; its home stays. */
    @Override
    public synchronized void close() {
        if (process != null) {
            process.close();
        }
    }
}
