package io.txn.samples.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** The demo's main class; {@link DemoOptions#USAGE} says what it does. */
public final class Demo {

    private static final int TCP_PORT = 8091;
    private static final Map<Program, Integer> HTTP_PORTS = Map.of(
            Program.COORDINATOR, 7091,
            Program.BUSINESS, 18080,
            Program.STORAGE, 18081,
            Program.ORDER, 18082,
            Program.ACCOUNT, 18083);
    private static final Duration RECORD_WAIT = Duration.ofSeconds(5);
    private static final Duration SETTLE_WAIT = Duration.ofSeconds(60);
    private static final Set<String> OVER = Set.of("COMMITTED", "ROLLED_BACK");
    private static final String PRODUCT = "keyboard";
    private static final String CUSTOMER = "alice";

    private final ShopPlan plan;
    private final @Nullable ServerDatabases servers;
    private final ShopClient client;
    private final Processes processes;
    private final Checks checks = new Checks();
    private final Set<String> known = new HashSet<>();

    private Demo(ShopPlan plan, @Nullable ServerDatabases servers) {
        this.plan = plan;
        this.servers = servers;
        this.client = new ShopClient(plan);
        this.processes = new Processes(plan, client);
    }

    public static void main(String[] arguments) {
        main(arguments, "");
    }

    /** The same with the password for {@code --url} given directly, by a program that has one. */
    public static void main(String[] arguments, String password) {
        int exit;
        try {
            exit = run(DemoOptions.parse(arguments, password));
        } catch (DemoFailure e) {
            System.err.println("\nThe demo failed: " + e.getMessage());
            exit = 1;
        } catch (IOException | UncheckedIOException | IllegalStateException e) {
            System.err.println("\nThe demo failed: " + e);
            exit = 1;
        }
        System.exit(exit);
    }

    private static int run(DemoOptions options) throws IOException {
        if (options.help()) {
            say(DemoOptions.USAGE);
            return 0;
        }
        Path root = Path.of(System.getProperty("txn.demo.root", "")).toAbsolutePath();
        Path usual = root.resolve("samples/demo/target/shop");
        Path data =
                Path.of(System.getProperty("txn.demo.data", usual.toString())).toAbsolutePath();
        Files.createDirectories(data);
        try (FileChannel lock = FileChannel.open(
                data.resolveSibling(data.getFileName() + ".lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE)) {
            if (lock.tryLock() == null) {
                throw new DemoFailure("another demo is running in " + data + ": stop it first");
            }
            delete(data);
            Files.createDirectories(data);
            String url = options.url();
            ServerDatabases servers = url == null
                    ? null
                    : ServerDatabases.create(
                            url,
                            options.user(),
                            options.password(),
                            Long.toString(ProcessHandle.current().pid(), 36));
            ShopDatabase database = servers == null ? ShopDatabase.h2(data.resolve("databases")) : servers.database();
            Set<Integer> chosen = new HashSet<>();
            Map<Program, Integer> ports = new EnumMap<>(Program.class);
            HTTP_PORTS.forEach((program, port) -> ports.put(program, freePort(port, chosen)));
            ShopPlan plan = new ShopPlan(root, data, ports, freePort(TCP_PORT, chosen), database, Map.of());
            return new Demo(plan, servers).run(options.stay());
        }
    }

    private int run(boolean stay) throws IOException {
        // Also when the terminal says stop, or something below fails.
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "stop-the-shop"));
        try {
            start();
            try {
                buyTwice();
            } catch (IOException e) {
                throw processes.explain(e);
            }
            heading("Checked");
            say(checks.text() + "\n");
            if (stay) {
                stayUp();
            }
        } finally {
            stop();
        }
        return checks.allRight() ? 0 : 1;
    }

    private synchronized void stop() {
        processes.close();
        if (servers != null) {
            servers.close();
        }
    }

    private void start() throws IOException {
        heading("A shop of four services, each in its own process with its own database ("
                + plan.database().platform() + "), and the coordinator");
        say("Starting them; their logs are in " + plan.data().resolve("logs") + " ...\n");
        long begin = System.nanoTime();
        processes.start();
        TextTable table = new TextTable("program", "address", "process");
        for (Program program : Program.values()) {
            table.row(program.title(), plan.url(program).toString(), Long.toString(processes.pid(program)));
        }
        say(table + "\nAll are up after " + (System.nanoTime() - begin) / 1_000_000_000 + " s.\n");
    }

    private void buyTwice() throws IOException {
        Rows before = client.rows();
        heading("Before");
        say(before.text(before));
        checks.equal("before: 10 keyboards in stock", List.of(stock(10)), before.of(Program.STORAGE, "stock"));
        checks.equal("before: no order", 0, orders(before));
        checks.equal("before: alice has 100.00", balance("100.00"), balanceIn(before));
        checks.equal("before: no purchase", 0, purchases(before));

        heading("Purchase 1: alice buys 2 keyboards for 80.00; she has 100.00");
        ShopClient.Answer first = buy();
        JsonNode committed = settled();
        Rows after = client.rows();
        say("In the databases afterwards:\n\n" + after.text(before));
        say("What the coordinator recorded:\n\n" + recorded(committed));
        checks.equal("purchase 1: answered 200", 200, first.status());
        checks.equal("purchase 1: 8 keyboards in stock", List.of(stock(8)), after.of(Program.STORAGE, "stock"));
        checks.equal("purchase 1: one order", 1, orders(after));
        checks.equal("purchase 1: alice has 20.00", balance("20.00"), balanceIn(after));
        checks.equal("purchase 1: one purchase", 1, purchases(after));
        checks.equal("purchase 1: recorded as COMMITTED", "COMMITTED", text(committed, "state"));
        checks.equal("purchase 1: 4 branches, all done", Map.of("DONE", 4), branchStates(committed));

        heading("Purchase 2: alice buys 2 more; she has 20.00, so the account service, called last, refuses");
        say("By then the stock, the order and the purchase are changed and committed, each in its own database.\n");
        ShopClient.Answer second = buy();
        JsonNode rolledBack = settled();
        Rows end = client.rows();
        say("In the databases afterwards (a row that is not as before would be marked):\n\n" + end.text(after));
        say("What the coordinator recorded:\n\n" + recorded(rolledBack));
        checks.equal("purchase 2: answered 409", 409, second.status());
        after.business()
                .services()
                .forEach((service, tables) -> tables.forEach((table, rows) -> checks.equal(
                        "purchase 2: " + table + " of the " + service.title() + " service as before",
                        rows,
                        end.of(service, table))));
        checks.equal("purchase 2: recorded as ROLLED_BACK", "ROLLED_BACK", text(rolledBack, "state"));
        checks.equal("purchase 2: 3 branches, all undone", Map.of("DONE", 3), branchStates(rolledBack));

        checks.equal("at the end: no undo record is left in the databases", 0, end.undoRecords());
        checks.equal("at the end: no row is locked any more", 0, client.locks().size());
    }

    private static int orders(Rows rows) {
        return rows.of(Program.ORDER, "purchase_order").size();
    }

    private static int purchases(Rows rows) {
        return rows.of(Program.BUSINESS, "purchase").size();
    }

    /** How many branches are in which state. */
    private static Map<String, Integer> branchStates(JsonNode transaction) {
        Map<String, Integer> states = new TreeMap<>();
        transaction
                .get("branches")
                .valueStream()
                .forEach(branch -> states.merge(text(branch, "state"), 1, Integer::sum));
        return states;
    }

    private ShopClient.Answer buy() throws IOException {
        String request = client.purchase(CUSTOMER, PRODUCT, 2);
        say("  POST " + client.purchases() + "\n       " + request);
        ShopClient.Answer answer = client.buy(request);
        say("  answer " + answer.status() + "\n       " + answer.body() + "\n");
        return answer;
    }

    /**
     * The transaction that came to the coordinator since the last call, once it is over and the services have cleared
     * up: they remove their undo records a moment after a commit is decided. When that takes too long, whatever there
     * is; the checks will tell.
     */
    private JsonNode settled() throws IOException {
        String xid = await(RECORD_WAIT, this::newest)
                .orElseThrow(() -> new DemoFailure("the coordinator knows of no transaction for this purchase"));
        known.add(xid);
        Optional<JsonNode> over = await(SETTLE_WAIT, () -> Optional.of(client.transaction(xid))
                .filter(found -> OVER.contains(text(found, "state"))));
        await(SETTLE_WAIT, () -> Optional.of(client.rows()).filter(rows -> rows.undoRecords() == 0));
        return over.isPresent() ? over.get() : client.transaction(xid);
    }

    private Optional<String> newest() throws IOException {
        return client.transactions().stream()
                .map(transaction -> text(transaction, "xid"))
                .filter(xid -> !known.contains(xid))
                .findFirst();
    }

    /** Something asked for over the network; empty means: not yet. */
    @FunctionalInterface
    private interface Question<T> {
        Optional<T> ask() throws IOException;
    }

    private static <T> Optional<T> await(Duration max, Question<T> question) throws IOException {
        long deadline = System.nanoTime() + max.toNanos();
        Optional<T> answer = question.ask();
        while (answer.isEmpty() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            answer = question.ask();
        }
        return answer;
    }

    private static String recorded(JsonNode transaction) {
        StringBuilder text = new StringBuilder("  " + text(transaction, "xid") + "  \"" + text(transaction, "name")
                + "\" of " + text(transaction, "application") + ": " + text(transaction, "state"));
        String cause = text(transaction, "cause");
        text.append(cause.isEmpty() ? "\n\n" : ", because: " + cause + "\n\n");
        TextTable branches = new TextTable("branch", "type", "state", "locked rows", "application");
        transaction
                .get("branches")
                .valueStream()
                .forEach(branch -> branches.row(
                        text(branch, "branchId"),
                        text(branch, "type"),
                        text(branch, "state"),
                        String.join(
                                ", ",
                                branch.get("lockKeys")
                                        .valueStream()
                                        .map(JsonNode::asString)
                                        .toList()),
                        text(branch, "application")));
        return text.append(branches).toString();
    }

    private static String text(JsonNode node, String field) {
        JsonNode value = node.get(field);
        return value == null || value.isNull() ? "" : value.asString();
    }

    private static String stock(int quantity) {
        return "product=" + PRODUCT + " quantity=" + quantity + " unit_price=40.00";
    }

    private static List<String> balance(String amount) {
        return List.of("customer=" + CUSTOMER + " balance=" + amount);
    }

    private static List<String> balanceIn(Rows rows) {
        return rows.of(Program.ACCOUNT, "account").stream()
                .filter(row -> row.contains("customer=" + CUSTOMER + " "))
                .toList();
    }

    private void stayUp() {
        String token = plan.adminToken().toString();
        say("Everything stays up until you press Ctrl-C. In another terminal:\n\n"
                + "  # buy; bob has 500.00. For alice, who has 20.00, or for 20 keyboards it is refused\n"
                + "  curl -i -H 'Content-Type: application/json' -d '" + client.purchase("bob", PRODUCT, 1) + "' "
                + client.purchases() + "\n\n"
                + "  # what the services have\n"
                + "  curl " + plan.url(Program.STORAGE) + "/stock\n"
                + "  curl " + plan.url(Program.ORDER) + "/orders\n"
                + "  curl " + plan.url(Program.ACCOUNT) + "/accounts\n"
                + "  curl " + client.purchases() + "\n\n"
                + "  # what the coordinator recorded\n"
                + "  curl -H \"Authorization: Bearer $(cat " + token + ")\" " + plan.url(Program.COORDINATOR)
                + "/api/v1/transactions\n");
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The usual port, or any free one when something else listens there or {@code txn.demo.ports} is "free". */
    private static int freePort(int usual, Set<Integer> chosen) {
        int first = "free".equals(System.getProperty("txn.demo.ports")) ? 0 : usual;
        for (int port : new int[] {first, 0, 0, 0}) {
            try (ServerSocket socket = new ServerSocket()) {
                socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                if (chosen.add(socket.getLocalPort())) {
                    return socket.getLocalPort();
                }
            } catch (IOException e) {
                // taken: try the next
            }
        }
        throw new DemoFailure("there is no free port on 127.0.0.1");
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    private static void heading(String text) {
        say("\n" + text + "\n" + "-".repeat(text.length()) + "\n");
    }

    private static void say(String text) {
        System.out.println(text);
    }
}
