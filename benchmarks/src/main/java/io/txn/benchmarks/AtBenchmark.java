package io.txn.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import io.txn.client.TxnClientOptions;
import io.txn.client.discovery.AddressListLocator;
import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.AtOptions;
import io.txn.test.CoordinatorCalls;
import io.txn.test.DatabaseKind;
import io.txn.test.DatabaseServer;
import io.txn.test.Relay;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.PrintStream;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * AT mode beside plain local transactions: the same work through the same kind of pool on databases that force every commit to the disk, in turns. The
 * coordinator runs in a process of its own and forces its journal.
 */
final class AtBenchmark implements Benchmark {

    private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);
    /** For phase two, and what the pools of the proxied sources are asked for beside the load. */
    private static final int SPARE_CONNECTIONS = 8;

    private static final int WARM_UP_THREADS = 8;

    /** The compilers' part of both processes' CPU with AT from which on they count as done: what they still do is in the figures, and not of AT's making. */
    private static final double WARM_PERCENT = 3;

    private static final int TURNS_OF_A_WARM_UP = 3;

    /** On a machine that others use the compilers may not come to their turn. */
    private static final int MOST_TURNS = 5 * TURNS_OF_A_WARM_UP;

    @Override
    public String name() {
        return "at";
    }

    @Override
    public String purpose() {
        return "global transactions with AT branches against plain local transactions, on durable databases.";
    }

    @Override
    public Map<String, String> defaults() {
        Map<String, String> options = new LinkedHashMap<>();
        options.put("databases", "mariadb,postgresql,h2");
        options.put("threads", "1,8,32");
        options.put("statement-threads", "1");
        options.put("rounds", "3");
        options.put("seconds", "5");
        options.put("warm-up", "30");
        options.put("counted", "20");
        options.put("servers", "1");
        options.put("work", "");
        options.put("heap", "512m");
        options.put(DIRECTORY, "");
        return options;
    }

    @Override
    public void run(Options options, Path directory, PrintStream out) throws Exception {
        // A pool that asks whether a connection is alive would be counted.
        System.setProperty("com.zaxxer.hikari.aliveBypassWindowMs", "3600000");
        for (String database : options.text("databases").split(",")) {
            DatabaseKind kind = DatabaseKind.valueOf(database.strip().toUpperCase(Locale.ROOT));
            Path own = directory.resolve(kind.name());
            boolean embedded = kind == DatabaseKind.H2;
            try (DatabaseServer server = embedded ? null : start(kind);
                    DatabaseServer another = embedded || options.number("servers") < 2 ? null : start(kind);
                    CoordinatorProcess coordinator = CoordinatorProcess.start(
                            own.resolve("data"), directory.resolve(kind + ".log"), options.text("heap"))) {
                TestDatabase first = server == null ? TestDatabases.h2().create() : server.create();
                TestDatabase second = another == null ? first.create() : another.create();
                List<Integer> ports = Stream.of(server, another)
                        .filter(Objects::nonNull)
                        .map(DatabaseServer::port)
                        .toList();
                out.println();
                out.println(kind + ": "
                        + (server == null
                                ? "in this process, in memory"
                                : durability(first) + (another == null ? ", one server" : ", two servers")));
                run(options, new OrderShop(first, second), ports, coordinator, out);
            }
        }
    }

    private static DatabaseServer start(DatabaseKind kind) {
        return switch (kind) {
            case MARIADB -> TestDatabases.startMariaDb(DatabaseServer.Durability.DISK);
            case POSTGRESQL -> TestDatabases.startPostgres(DatabaseServer.Durability.DISK);
            case H2 -> throw new AssertionError("H2 is no server here");
        };
    }

    /** What the server says of itself; fails when an answered commit could be lost. */
    private static String durability(TestDatabase database) {
        String query = database.kind() == DatabaseKind.MARIADB
                ? "SELECT CONCAT('innodb_flush_log_at_trx_commit=', @@innodb_flush_log_at_trx_commit, ' sync_binlog=', @@sync_binlog)"
                : "SELECT 'fsync=' || current_setting('fsync') || ' synchronous_commit=' ||"
                        + " current_setting('synchronous_commit')";
        String said = OrderShop.text(database, query);
        List<String> durable =
                List.of("innodb_flush_log_at_trx_commit=1 sync_binlog=1", "fsync=on synchronous_commit=on");
        if (!durable.contains(said)) {
            throw new IllegalStateException("not durable: " + said);
        }
        return said;
    }

    /** One way to do the work. */
    private interface Way extends AutoCloseable {

        void run(OrderShop.Work work, int thread, long number) throws Throwable;

        @Override
        void close();
    }

    /** Without global transactions. */
    private static final class Plain implements Way {

        private final OrderShop shop;
        private final List<HikariDataSource> pools;

        Plain(OrderShop shop, IntUnaryOperator route, int connections) {
            this.shop = shop;
            this.pools = shop.pools(route, connections);
        }

        @Override
        public void run(OrderShop.Work work, int thread, long number) throws SQLException {
            shop.run(work, pools, thread, number);
        }

        @Override
        public void close() {
            pools.forEach(HikariDataSource::close);
        }
    }

    /** In global transactions. */
    private static final class At implements Way {

        private static final GlobalTransactionOptions OPTIONS = GlobalTransactionOptions.named("order");

        private final OrderShop shop;
        private final List<HikariDataSource> pools;
        private final TxnClient client;
        private final List<AtDataSource> sources;

        At(OrderShop shop, IntUnaryOperator route, int coordinatorPort, int connections) {
            this.shop = shop;
            this.pools = shop.pools(route, connections);
            this.client = TxnClient.start(
                    TxnClientOptions.of("shop"), AddressListLocator.of(List.of("127.0.0.1:" + coordinatorPort)));
            this.sources = pools.stream()
                    .map(pool -> AtDataSource.wrap(
                            pool, AtOptions.DEFAULTS, client.contexts(), client.resources(), beside(pool)))
                    .toList();
            sources.forEach(AtDataSource::prepare);
        }

        /** As the starter does it. */
        private static DataSource beside(HikariDataSource pool) {
            return new DriverDataSource(
                    pool.getJdbcUrl(), null, new Properties(), pool.getUsername(), pool.getPassword());
        }

        @Override
        public void run(OrderShop.Work work, int thread, long number) throws Throwable {
            client.transactions().execute(OPTIONS, () -> {
                shop.run(work, sources, thread, number);
                return "";
            });
        }

        @Override
        public void close() {
            client.close();
            sources.forEach(AtDataSource::close);
            pools.forEach(HikariDataSource::close);
        }
    }

    private static void run(
            Options options, OrderShop shop, List<Integer> ports, CoordinatorProcess coordinator, PrintStream out)
            throws Exception {
        int most = options.numbers("threads").stream().mapToInt(i -> i).max().orElse(1) + SPARE_CONNECTIONS;
        try (Way plain = new Plain(shop, IntUnaryOperator.identity(), most);
                Way at = new At(shop, IntUnaryOperator.identity(), coordinator.port(), most)) {
            List<OrderShop.Work> works = works(options);
            // First: its relays and single thread show the compilers another program than the load is, and what they
            // made of that would have to be made again.
            Map<OrderShop.Work, Counts> counts = counts(works, options.number("counted"), shop, ports, coordinator);
            Duration warmUp = options.seconds("warm-up").dividedBy(works.size());
            for (OrderShop.Work work : works) {
                load(plain, work, WARM_UP_THREADS, warmUp);
                load(at, work, WARM_UP_THREADS, warmUp);
            }
            if (!warmUp.isZero()) {
                untilCompiled(plain, at, works, warmUp.dividedBy(TURNS_OF_A_WARM_UP), coordinator, out);
            }
            coordinator.settled();
            Table table = new Table(
                    shop.kind().toString(),
                    "threads",
                    "plain tx/s",
                    "AT tx/s",
                    "ratio",
                    "plain p50 ms",
                    "AT p50 ms",
                    "plain p99 ms",
                    "AT p99 ms",
                    "plain CPU ms",
                    "AT CPU ms",
                    "application",
                    "coordinator",
                    "database",
                    "compilers",
                    "machine",
                    "idle %",
                    "syncs",
                    "plain trips",
                    "AT trips",
                    "calls",
                    "load");
            for (OrderShop.Work work : works) {
                String threads = work == OrderShop.Work.ORDER ? "threads" : "statement-threads";
                for (int number : options.numbers(threads)) {
                    Load load = (way, seconds) -> {
                        long syncs = coordinator.statistics().fsyncs();
                        CpuSoFar before = CpuSoFar.now(coordinator);
                        Machine.Time machine = Machine.Time.now();
                        Result result = load(way, work, number, seconds);
                        Machine.Time busy = Machine.Time.now().since(machine);
                        coordinator.settled();
                        Cpu took = CpuSoFar.now(coordinator).since(before);
                        return result.costing(
                                took, busy, coordinator.statistics().fsyncs() - syncs);
                    };
                    row(table, options, plain, at, work, number, load, Objects.requireNonNull(counts.get(work)));
                }
            }
            out.print(table);
            Statistics figures = coordinator.settled();
            if (figures.rolledBack() != 0 || figures.lockConflicts() != 0 || figures.callsFailed() != 0) {
                throw new IllegalStateException("not all was committed at once: " + figures);
            }
        }
        if (shop.stored() != shop.written() || shop.undoRecords() != 0) {
            throw new IllegalStateException("the databases show " + shop.stored() + " rows written in place of "
                    + shop.written() + ", and " + shop.undoRecords() + " undo records");
        }
    }

    /** Goes on in turns, as the rounds will, until the compilers of this process and the coordinator's have little left to do with AT; says how that went. */
    private static void untilCompiled(
            Way plain,
            Way at,
            List<OrderShop.Work> works,
            Duration turn,
            CoordinatorProcess coordinator,
            PrintStream out)
            throws InterruptedException {
        double percent;
        int turns = 0;
        do {
            Cpu took = Cpu.NONE;
            for (OrderShop.Work work : works) {
                load(plain, work, WARM_UP_THREADS, turn);
                CpuSoFar before = CpuSoFar.now(coordinator);
                load(at, work, WARM_UP_THREADS, turn);
                took = took.plus(CpuSoFar.now(coordinator).since(before));
            }
            percent = 100.0 * took.compilers / Math.max(1, took.application + took.coordinator);
            turns++;
        } while (percent > WARM_PERCENT && turns < MOST_TURNS);
        out.println("warmed up by " + turns + " turns more; the compilers took " + Table.number(percent, 1)
                + " % of the application's and the coordinator's CPU at last");
    }

    private static List<OrderShop.Work> works(Options options) {
        String chosen = options.text("work");
        return chosen.isEmpty()
                ? List.of(OrderShop.Work.values())
                : Arrays.stream(chosen.split(","))
                        .map(name -> OrderShop.Work.valueOf(name.strip().toUpperCase(Locale.ROOT)))
                        .toList();
    }

    /** Some seconds of the work of a row, and all that follows from it. */
    private interface Load {
        Result of(Way way, Duration time) throws Exception;
    }

    private static void row(
            Table table, Options options, Way plain, Way at, OrderShop.Work work, int threads, Load load, Counts counts)
            throws Exception {
        List<Result> without = new ArrayList<>();
        List<Result> with = new ArrayList<>();
        for (int round = 0; round < options.number("rounds"); round++) {
            without.add(load.of(plain, options.seconds("seconds")));
            with.add(load.of(at, options.seconds("seconds")));
        }
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < with.size(); i++) {
            ratios.add(with.get(i).perSecond() / without.get(i).perSecond());
        }
        table.row(
                work.title(),
                Integer.toString(threads),
                Table.number(median(without, Result::perSecond), 0),
                Table.number(median(with, Result::perSecond), 0),
                Table.number(100 * Medians.of(ratios), 0) + " %",
                Table.number(median(without, result -> result.millis(50)), 2),
                Table.number(median(with, result -> result.millis(50)), 2),
                Table.number(median(without, result -> result.millis(99)), 2),
                Table.number(median(with, result -> result.millis(99)), 2),
                Table.number(median(without, result -> result.cpuMillis(result.cpu.all())), 2),
                Table.number(median(with, result -> result.cpuMillis(result.cpu.all())), 2),
                both(without, with, r -> Table.number(median(r, x -> x.cpuMillis(x.cpu.application)), 2)),
                both(without, with, r -> Table.number(median(r, x -> x.cpuMillis(x.cpu.coordinator)), 2)),
                both(without, with, r -> Table.number(median(r, x -> x.cpuMillis(x.cpu.database)), 2)),
                both(without, with, r -> Table.number(median(r, x -> x.cpuMillis(x.cpu.compilers)), 2)),
                both(without, with, r -> Table.number(median(r, x -> x.cpuMillis(x.machine.busyNanos())), 2)),
                both(without, with, r -> Table.number(median(r, x -> x.machine.idlePercent()), 0)),
                Table.number(median(with, Result::syncs), 2),
                Table.number(counts.plainTrips, 1),
                Table.number(counts.atTrips, 1),
                Table.number(counts.calls, 1),
                Machine.load());
    }

    /** A figure without AT and with it. */
    private static String both(List<Result> without, List<Result> with, Function<List<Result>, String> figure) {
        return Stream.of(without, with).map(figure).collect(Collectors.joining(" / "));
    }

    private static double median(List<Result> results, Function<Result, Double> figure) {
        return Medians.of(results.stream().map(figure).toList());
    }

    // Counts

    /**
     * What one transaction costs.
     *
     * @param plainTrips round trips to the databases; not a number where there are none
     * @param atTrips the same with AT, phase two included
     * @param calls requests to the coordinator, each of which somebody waits for
     */
    private record Counts(double plainTrips, double atTrips, double calls) {}

    /** By one thread, one transaction after the other, each to its very end. Nothing goes over a wire to a database in this process. */
    private static Map<OrderShop.Work, Counts> counts(
            List<OrderShop.Work> works,
            int transactions,
            OrderShop shop,
            List<Integer> ports,
            CoordinatorProcess coordinator)
            throws Exception {
        AtomicLong trips = new AtomicLong();
        AtomicLong calls = new AtomicLong();
        Map<OrderShop.Work, Counts> counts = new LinkedHashMap<>();
        boolean remote = !ports.isEmpty();
        try (Relay first = ports.isEmpty() ? null : Relay.to(ports.get(0), Relay.roundTrips(trips));
                Relay second = ports.size() < 2 ? null : Relay.to(ports.get(1), Relay.roundTrips(trips));
                Relay toCoordinator = Relay.to(coordinator.port(), () -> new CoordinatorCalls(calls))) {
            IntUnaryOperator route = port -> Objects.requireNonNull(port == ports.get(0) ? first : second)
                    .port();
            try (Way plain = new Plain(shop, route, 2);
                    Way at = new At(shop, route, toCoordinator.port(), 2)) {
                for (OrderShop.Work work : works) {
                    double plainTrips = counted(plain, work, transactions, trips, coordinator);
                    counted(at, work, 1, trips, coordinator);
                    calls.set(0);
                    double atTrips = counted(at, work, transactions, trips, coordinator);
                    counts.put(
                            work,
                            new Counts(
                                    remote ? plainTrips : Double.NaN,
                                    remote ? atTrips : Double.NaN,
                                    (double) calls.get() / transactions));
                }
            }
        }
        return counts;
    }

    private static double counted(
            Way way, OrderShop.Work work, int transactions, AtomicLong trips, CoordinatorProcess coordinator)
            throws Exception {
        // Both connections of a pool learn what they keep of a statement.
        trips.set(0);
        for (int i = 0; i < transactions; i++) {
            try {
                way.run(work, 0, i);
            } catch (Exception | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
            coordinator.settled();
        }
        return (double) trips.get() / transactions;
    }

    // Load

    /**
     * Nanoseconds of CPU time, by who took them.
     *
     * @param application this process, in which the load and AT mode run
     * @param database the server with all its processes; a database inside the application is none
     * @param compilers what the JVMs' compilers took of the first two
     */
    private record Cpu(long application, long coordinator, long database, long compilers) {

        static final Cpu NONE = new Cpu(0, 0, 0, 0);

        Cpu plus(Cpu more) {
            return new Cpu(
                    application + more.application,
                    coordinator + more.coordinator,
                    database + more.database,
                    compilers + more.compilers);
        }

        long all() {
            return application + coordinator + database;
        }
    }

    /**
     * The same since the processes' starts.
     *
     * @param compilers by thread: the JVMs start and end them as there is work
     */
    private record CpuSoFar(long application, long coordinator, long database, Map<String, ThreadFigures> compilers) {

        static CpuSoFar now(CoordinatorProcess coordinator) {
            long own = ProcessFigures.of(ProcessHandle.current().pid()).cpuNanos();
            long other = coordinator.figures().cpuNanos();
            Map<String, ThreadFigures> compilers = new TreeMap<>();
            for (long pid : new long[] {ProcessHandle.current().pid(), coordinator.pid()}) {
                compilers.putAll(ThreadFigures.of(pid));
            }
            compilers
                    .values()
                    .removeIf(thread -> !thread.name().startsWith("C1 Compiler")
                            && !thread.name().startsWith("C2 Compiler"));
            return new CpuSoFar(own, other, Math.max(0, ProcessFigures.ofAll().cpuNanos() - own - other), compilers);
        }

        Cpu since(CpuSoFar before) {
            return new Cpu(
                    application - before.application,
                    coordinator - before.coordinator,
                    database - before.database,
                    ThreadFigures.since(before.compilers, compilers).stream()
                            .mapToLong(ThreadFigures::cpuNanos)
                            .sum());
        }
    }

    /**
     * How a run went.
     *
     * @param latency nanoseconds of each transaction
     * @param cpu what the processes took for it
     * @param machine what all processors did meanwhile
     * @param fsyncs of the coordinator's journal
     */
    private record Result(long time, Histogram latency, Cpu cpu, Machine.Time machine, long fsyncs) {

        Result costing(Cpu took, Machine.Time meanwhile, long syncs) {
            return new Result(time, latency, took, meanwhile, syncs);
        }

        double syncs() {
            return (double) fsyncs / latency.getTotalCount();
        }

        double cpuMillis(long nanos) {
            return nanos / 1e6 / latency.getTotalCount();
        }

        double perSecond() {
            return latency.getTotalCount() * 1e9 / time;
        }

        double millis(double percentile) {
            return latency.getValueAtPercentile(percentile) / 1e6;
        }
    }

    private static Result load(Way way, OrderShop.Work work, int threads, Duration time) throws InterruptedException {
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        List<Histogram> latencies = new ArrayList<>();
        CountDownLatch ended = new CountDownLatch(threads);
        long start = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            int thread = i;
            Histogram latency = new Histogram(LONGEST_NANOS, 3);
            latencies.add(latency);
            new Thread(
                            () -> {
                                try {
                                    work(way, work, thread, start + time.toNanos(), latency, failure);
                                } finally {
                                    ended.countDown();
                                }
                            },
                            "load-" + i)
                    .start();
        }
        ended.await();
        long took = System.nanoTime() - start;
        if (failure.get() != null) {
            throw new IllegalStateException("a transaction failed", failure.get());
        }
        Histogram all = new Histogram(LONGEST_NANOS, 3);
        latencies.forEach(all::add);
        return new Result(took, all, Cpu.NONE, new Machine.Time(0, 0), 0);
    }

    private static void work(
            Way way,
            OrderShop.Work work,
            int thread,
            long end,
            Histogram latency,
            AtomicReference<@Nullable Throwable> failure) {
        // At least one, however short the time is.
        for (long number = 0; failure.get() == null; number++) {
            long began = System.nanoTime();
            try {
                way.run(work, thread, number);
            } catch (Throwable e) {
                failure.compareAndSet(null, e);
                return;
            }
            long now = System.nanoTime();
            latency.recordValue(now - began);
            if (now - end >= 0) {
                return;
            }
        }
    }
}
