package io.txn.benchmarks;

import com.sun.management.ThreadMXBean;
import com.sun.net.httpserver.HttpServer;
import io.txn.coordinator.Coordinator;
import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.CoordinatorStatistics;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;

/**
 * A coordinator as shipped, in a process of its own, that tells its statistics. Arguments: the data directory, the TCP port or 0, and, if there is one, the URL
 * below which steps of sagas are. Prints
 * {@code ready <tcp port> <statistics port>}.
 */
final class CoordinatorMain {

    private CoordinatorMain() {}

    public static void main(String[] args) throws IOException {
        List<String> targets = List.of(args).subList(2, args.length);
        Coordinator coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withDataDir(Path.of(args[0]))
                .withListen("127.0.0.1", Integer.parseInt(args[1]))
                .withSagas(new CoordinatorOptions.Sagas(targets, CoordinatorOptions.Sagas.DEFAULTS.connectTimeout())));
        HttpServer control = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        control.createContext("/", exchange -> {
            byte[] bytes = text(coordinator.statistics()).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        control.start();
        System.out.println(
                "ready " + coordinator.tcpPort() + ' ' + control.getAddress().getPort());
    }

    private static String text(CoordinatorStatistics figures) {
        return figures.unfinished() + " " + figures.locks() + " " + figures.begun() + " " + figures.committed() + " "
                + figures.rolledBack() + " " + figures.branchesRegistered() + " " + figures.lockConflicts() + " "
                + figures.callsFailed() + " " + figures.journalRecords() + " " + figures.journalBytes() + " "
                + figures.fsyncs() + " " + allocatedBytes();
    }

    private static long allocatedBytes() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        // -1 stands for a thread that ended meanwhile.
        return LongStream.of(threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
                .filter(bytes -> bytes > 0)
                .sum();
    }
}
