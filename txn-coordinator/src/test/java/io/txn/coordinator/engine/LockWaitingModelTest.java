package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.Completion;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Waiting compared with a model that knows no indexes: after every step it looks at every waiter and every row again. Both must have ended the same waiters, in the
 * same order and for the same reasons; a deadlock's victim must have been on a circle, and none may be left. Some records are refused by the journal, some
 * connections close, some requests are asked again. {@code -Dtxn.test.seed=…} repeats one run.
 */
class LockWaitingModelTest {

    private static final int STEPS = 250;
    private static final int ROWS = 6;
    private static final int CALLERS = 4;

    @Test
    void whoeverWaitsEndsAsInTheModel() {
        Long one = Long.getLong("txn.test.seed");
        long first = one == null ? 1 : one;
        int runs = one != null ? 1 : Boolean.getBoolean("txn.test.full") ? 5_000 : 400;
        Map<String, Integer> seen = new LinkedHashMap<>();
        for (long seed = first; seed < first + runs; seed++) {
            try {
                new Run(seed, seen).go();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ": repeat with -Dtxn.test.seed=" + seed, e);
            }
        }
        if (one == null) {
            // Else the test has stopped testing.
            assertThat(seen.keySet())
                    .contains(
                            "granted",
                            "granted later",
                            "lockable later",
                            "HOLDER_ROLLS_BACK",
                            "HOLDER_ROLLS_BACK later",
                            "WAIT_OVER later",
                            "DEADLOCK later",
                            "not active later",
                            "refused by the journal later",
                            "closed later",
                            "asked again later");
        }
    }

    /** Refuses the record that a run chooses. */
    private static final class RefusingJournal extends FakeJournal {
        private int refuseIn;

        @Override
        public long append(ByteBuffer record, Completion done) {
            if (refuseIn > 0 && --refuseIn == 0) {
                done.failed(new TxnException(ErrorCode.RECORD_TOO_LARGE, null));
                return -1;
            }
            return super.append(record, done);
        }
    }

    private static final class Connection implements Caller {
        private boolean open = true;

        @Override
        public boolean isOpen() {
            return open;
        }
    }

    /** A transaction of the model. */
    private static final class Transaction {
        final Xid xid;
        final int age;
        boolean rollingBack;
        boolean decided;
        final List<Set<Integer>> branches = new ArrayList<>();

        Transaction(Xid xid, int age) {
            this.xid = xid;
            this.age = age;
        }

        boolean holds(int row) {
            return (!decided || rollingBack) && branches.stream().anyMatch(rows -> rows.contains(row));
        }
    }

    /** A request of the model. */
    private static final class Request {
        final int id;
        final Transaction transaction;
        final Set<Integer> rows;
        final boolean query;
        final long until;
        final Connection connection;
        final long requestId;
        int place;

        Request(
                int id,
                Transaction transaction,
                Set<Integer> rows,
                boolean query,
                long until,
                Connection connection,
                long requestId) {
            this.id = id;
            this.transaction = transaction;
            this.rows = rows;
            this.query = query;
            this.until = until;
            this.connection = connection;
            this.requestId = requestId;
            this.place = id;
        }
    }

    private record End(int request, String how) {}

    private static final class Run {
        private final SplittableRandom random;
        private final Map<String, Integer> seen;
        private final RefusingJournal journal = new RefusingJournal();
        private final SettableClock clock = new SettableClock();
        private final Shard shard = new Shard(new Rules(10_000, 100, 0, 1, 1, 1));
        private final List<Runnable> undos = new ArrayList<>();
        private final EngineCore core;

        private final List<Transaction> transactions = new ArrayList<>();
        private final Map<Long, Transaction> byNumber = new LinkedHashMap<>();
        private final List<Request> waiting = new ArrayList<>();
        private final List<Connection> connections = new ArrayList<>();
        private final List<End> expected = new ArrayList<>();
        private final List<End> actual = new ArrayList<>();
        private int requests;
        private int refuseIn;
        private long now;

        Run(long seed, Map<String, Integer> seen) {
            this.random = new SplittableRandom(seed);
            this.seen = seen;
            this.core = new EngineCore(
                    shard,
                    journal,
                    new JournalTime(clock),
                    new SplittableRandom(seed),
                    Settings.usual()
                            .mailbox(10_000)
                            .unwritten(10_000)
                            .callTimeout(1L << 40)
                            .initiatorWait(1L << 40)
                            .retentionTime(1L << 40)
                            .retentionCount(1_000)
                            .restartGrace(0)
                            .snapshotRecords(1L << 40)
                            .build(),
                    new BranchCaller() {
                        @Override
                        public void call(Effect.CallBranch call, CallEnd end) {
                            if (byNumber.get(call.transaction()).rollingBack) {
                                undos.add(() -> {
                                    byNumber.get(call.transaction()).branches.remove(undone(call));
                                    end.ended(Answer.DONE, null);
                                });
                            } else {
                                end.ended(Answer.DONE, null);
                            }
                        }

                        @Override
                        public boolean canCall(Effect.CallBranch call) {
                            return true;
                        }
                    },
                    () -> {});
            core.recover();
            for (int i = 0; i < CALLERS; i++) {
                connections.add(new Connection());
            }
        }

        private Set<Integer> undone(Effect.CallBranch call) {
            String locks =
                    shard.transaction(call.transaction()).branch(call.branch()).locks();
            Set<Integer> rows = rows(locks);
            List<Set<Integer>> branches = byNumber.get(call.transaction()).branches;
            for (int i = branches.size() - 1; i >= 0; i--) {
                if (branches.get(i).equals(rows)) {
                    return branches.get(i);
                }
            }
            throw new AssertionError("the model has no branch " + locks + " in " + branches);
        }

        void go() {
            for (int step = 0; step < STEPS; step++) {
                now = clock.millis();
                refuseIn = random.nextInt(20) == 0 ? 1 + random.nextInt(3) : 0;
                journal.refuseIn = refuseIn;
                step();
                settle();
                journal.refuseIn = 0;
                check(step);
            }
        }

        private void step() {
            switch (random.nextInt(16)) {
                case 0, 1, 2 -> begin();
                case 3, 4, 5, 6, 7, 8 -> ask();
                case 9 -> askAgain();
                case 10, 11 -> commit();
                case 12 -> rollback();
                case 13 -> undo();
                case 14 -> passTime();
                default -> close();
            }
        }

        private Transaction any(boolean undecided) {
            List<Transaction> some = transactions.stream()
                    .filter(transaction -> !undecided || !transaction.decided)
                    .toList();
            return some.isEmpty() ? null : some.get(Math.max(0, some.size() - 1 - random.nextInt(8)));
        }

        private void begin() {
            List<Reply> replies = new ArrayList<>();
            core.submit(new Command.Begin("c:1", "buy", new ClientId("shop", "h", 1), 1L << 40), replies::add);
            settle();
            clock.advance(1); // so that the age of transactions differs
            if (records(1)) {
                Transaction begun = new Transaction(((Reply.Begun) replies.get(0)).xid(), transactions.size());
                transactions.add(begun);
                byNumber.put(begun.xid.number(), begun);
            }
        }

        private void ask() {
            Transaction transaction = any(random.nextInt(10) > 0);
            if (transaction == null) {
                return;
            }
            Set<Integer> rows = new TreeSet<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                rows.add(random.nextInt(ROWS));
            }
            boolean query = random.nextInt(5) == 0;
            long wait = random.nextInt(5) == 0 ? 0 : 1 + random.nextInt(40);
            Connection connection = connections.get(random.nextInt(CALLERS));
            ask(new Request(
                    ++requests,
                    transaction,
                    rows,
                    query,
                    now + wait,
                    connection,
                    random.nextInt(3) == 0 ? requests : 0));
        }

        private void askAgain() {
            List<Request> some = waiting.stream()
                    .filter(request -> request.requestId != 0 && !request.query)
                    .toList();
            if (some.isEmpty()) {
                return;
            }
            Request first = some.get(random.nextInt(some.size()));
            Connection connection = connections.get(random.nextInt(CALLERS));
            long until = random.nextBoolean() ? now : now + 10;
            Request again =
                    new Request(++requests, first.transaction, first.rows, false, until, connection, first.requestId);
            again.place = first.place;
            end(first, "asked again");
            waiting.remove(first);
            ask(again);
        }

        private void ask(Request request) {
            LockKeys keys = LockKeys.parse(
                    "t:" + request.rows.stream().map(String::valueOf).collect(Collectors.joining(",")), 100);
            long wait = request.until - now;
            Command command = request.query
                    ? new Command.QueryLocks(request.transaction.xid, "db", keys, wait)
                    : new Command.RegisterBranch(
                            request.transaction.xid,
                            BranchType.AT,
                            "db",
                            new ClientId("shop", "h", 1 + random.nextInt(3)),
                            keys,
                            true,
                            null,
                            null,
                            wait,
                            request.requestId);
            decide(request, wait > 0);
            core.submit(command, request.connection, reply -> actual.add(new End(request.id, how(reply))));
        }

        // The model

        /** Ends the request, or lets it wait. */
        private void decide(Request request, boolean mayWait) {
            String end = outcome(request, mayWait);
            if (end == null && !request.connection.open) {
                end(request, "HELD");
            } else if (end == null) {
                waiting.add(request);
                waiting.sort(Comparator.comparingInt(r -> r.place));
            } else {
                carryOut(request, end);
            }
        }

        private String outcome(Request request, boolean mayWait) {
            boolean queries = request.query;
            if (request.transaction.decided && (!queries || mayWait)) {
                return "not active";
            }
            List<Transaction> inTheWay = transactions.stream()
                    .filter(other -> other != request.transaction)
                    .filter(other -> request.rows.stream().anyMatch(other::holds))
                    .toList();
            if (inTheWay.isEmpty()) {
                return queries ? "lockable" : "granted";
            } else if (queries && !mayWait) {
                return "not lockable";
            } else if (inTheWay.stream().anyMatch(other -> other.rollingBack)) {
                return "HOLDER_ROLLS_BACK";
            }
            return mayWait ? null : "HELD";
        }

        private void carryOut(Request request, String end) {
            boolean grants = end.equals("granted");
            if (grants && !records(1)) {
                end(request, "refused by the journal");
                return;
            }
            if (grants) {
                request.transaction.branches.add(request.rows);
            }
            end(request, end);
        }

        /** Whether the journal takes the next record. */
        private boolean records(int count) {
            boolean refused = refuseIn > 0 && refuseIn <= count;
            refuseIn = Math.max(0, refuseIn - count);
            return !refused;
        }

        private void end(Request request, String how) {
            expected.add(new End(request.id, how));
        }

        /** Whoever can go goes, the first first, as long as anybody can. */
        private void letGo() {
            boolean again = true;
            while (again) {
                again = false;
                for (Request request : List.copyOf(waiting)) {
                    String end = outcome(request, true);
                    if (end != null) {
                        waiting.remove(request);
                        carryOut(request, request.connection.open ? end : "closed");
                        again = true;
                        break;
                    }
                }
            }
        }

        private Set<Transaction> waitsFor(Transaction transaction) {
            return waiting.stream()
                    .filter(request -> request.transaction == transaction)
                    .flatMap(request -> transactions.stream()
                            .filter(other -> other != transaction)
                            .filter(other -> request.rows.stream().anyMatch(other::holds)))
                    .collect(Collectors.toCollection(LinkedHashSet::new));
        }

        private Set<Transaction> reached(Transaction from) {
            Set<Transaction> reached = new HashSet<>();
            List<Transaction> toVisit = new ArrayList<>(waitsFor(from));
            while (!toVisit.isEmpty()) {
                Transaction next = toVisit.remove(toVisit.size() - 1);
                if (reached.add(next)) {
                    toVisit.addAll(waitsFor(next));
                }
            }
            return reached;
        }

        // Steps

        private void commit() {
            Transaction transaction = any(true);
            if (transaction != null) {
                if (records(1)) {
                    transaction.decided = true;
                    transaction.branches.clear();
                }
                core.submit(new Command.Commit(transaction.xid), reply -> {});
                letGo();
                // Its branches end, one record each; the journal may refuse these too, and they are called again.
                refuseIn = 0;
            }
        }

        private void rollback() {
            Transaction transaction = any(true);
            if (transaction != null) {
                if (records(1)) {
                    transaction.decided = true;
                    transaction.rollingBack = true;
                }
                core.submit(new Command.Rollback(transaction.xid), reply -> {});
            }
        }

        private void undo() {
            if (!undos.isEmpty()) {
                journal.refuseIn = 0; // the engine would call again; that is another test's
                refuseIn = 0;
                undos.remove(random.nextInt(undos.size())).run();
            }
        }

        private void passTime() {
            clock.advance(random.nextInt(25));
            now = clock.millis();
            core.tick();
            waiting.stream()
                    .filter(request -> request.until <= now)
                    .sorted(Comparator.comparingLong((Request r) -> r.until).thenComparingInt(r -> r.place))
                    .toList()
                    .forEach(request -> {
                        waiting.remove(request);
                        end(request, "WAIT_OVER");
                    });
        }

        private void close() {
            int index = random.nextInt(CALLERS);
            Connection gone = connections.get(index);
            gone.open = false;
            connections.set(index, new Connection());
            boolean told = random.nextInt(4) > 0;
            if (told) {
                waiting.stream()
                        .filter(request -> request.connection == gone)
                        .toList()
                        .forEach(request -> {
                            waiting.remove(request);
                            end(request, "closed");
                        });
                core.closed(gone);
            }
        }

        private void settle() {
            for (int i = 0; i < 3; i++) {
                core.flush();
                journal.flush(10_000);
                core.release();
            }
        }

        private void check(int step) {
            noticeTheClosed();
            letGo();
            List<End> victims =
                    actual.stream().filter(end -> end.how.equals("DEADLOCK")).toList();
            for (End victim : victims) {
                Request request = waiting.stream()
                        .filter(r -> r.id == victim.request)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("no waiter was " + victim + " in step " + step));
                assertThat(reached(request.transaction))
                        .as("step %d: %s is on a circle", step, victim)
                        .contains(request.transaction);
                waiting.remove(request);
            }
            List<End> others =
                    actual.stream().filter(end -> !end.how.equals("DEADLOCK")).toList();
            Set<String> immediate = Set.of("closed", "asked again");
            assertThat(sorted(others, immediate)).as("step %d", step).isEqualTo(sorted(expected, immediate));
            assertThat(core.waiting()).as("step %d", step).isEqualTo(waiting.size());
            assertThat(shard.waits().isDue()).isFalse();
            for (Transaction transaction : transactions) {
                assertThat(reached(transaction))
                        .as("step %d: no circle is left", step)
                        .doesNotContain(transaction);
            }
            for (int row = 0; row < ROWS; row++) {
                int held = row;
                long holders = transactions.stream().filter(t -> t.holds(held)).count();
                assertThat(holders).isLessThanOrEqualTo(1);
                assertThat(shard.locks().holder("db", new LockKeys.Row("t", "" + row)) != null)
                        .as("step %d row %d", step, row)
                        .isEqualTo(holders == 1);
            }
            for (End end : actual) {
                seen.merge(end.how + (end.request == requests ? "" : " later"), 1, Integer::sum);
            }
            actual.clear();
            expected.clear();
        }

        /** That a connection is closed may be noticed whenever its waiter is looked at, and is at the latest when it could go. */
        private void noticeTheClosed() {
            for (Request request : List.copyOf(waiting)) {
                if (!request.connection.open && actual.contains(new End(request.id, "closed"))) {
                    waiting.remove(request);
                    end(request, "closed");
                }
            }
        }

        /** In order, except what is no decision. */
        private static List<End> sorted(List<End> ends, Set<String> anywhere) {
            List<End> list = new ArrayList<>(ends);
            list.sort(Comparator.comparing((End end) -> anywhere.contains(end.how) ? 0 : 1)
                    .thenComparingInt(end -> anywhere.contains(end.how) ? end.request : 0));
            return list;
        }

        private String how(Reply reply) {
            if (reply instanceof Reply.Registered) {
                return "granted";
            } else if (reply instanceof Reply.Lockable lockable) {
                return lockable.lockable() ? "lockable" : "not lockable";
            } else if (reply instanceof Reply.LockConflict conflict) {
                return conflict.why().name();
            } else if (reply instanceof Reply.NotActive) {
                return "not active";
            } else if (reply instanceof Reply.Rejected rejected && rejected.code() == ErrorCode.RECORD_TOO_LARGE) {
                return "refused by the journal";
            } else if (reply instanceof Reply.Rejected rejected && rejected.code() == ErrorCode.LOCK_WAIT_OVER) {
                return rejected.facts().containsKey("askedAgain") ? "asked again" : "closed";
            }
            throw new AssertionError(reply);
        }

        private static Set<Integer> rows(String locks) {
            Set<Integer> rows = new TreeSet<>();
            for (String row : locks.substring(2).split(",")) {
                rows.add(Integer.parseInt(row));
            }
            return rows;
        }
    }
}
