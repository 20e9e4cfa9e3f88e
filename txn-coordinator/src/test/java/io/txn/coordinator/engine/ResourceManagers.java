package io.txn.coordinator.engine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.coordinator.machine.Reply;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The resource managers of a simulated world and their databases: rows, undo records, and a fence. A branch works like this: it is registered, does its
 * local commit, and is finished by a call of phase two; each of these may come late, twice, after a restart of the process or not at all. A call to
 * roll back what has not happened leaves a defence row, and then it cannot happen any more.
 */
final class ResourceManagers {

    /** The resource of the engine that drives sagas. */
    static final String ENGINE = "shop#group";

    static final String[] NAMES = {"db-a", "db-b", "svc-c", ENGINE};
    static final String[] OF_BRANCHES = {"db-a", "db-b", "svc-c"};
    private static final ClientId CLIENT = new ClientId("shop", "10.0.0.1", 4711);

    /** What a resource manager knows of a branch. */
    enum Progress {
        NOTHING,
        /** Committed locally, with an undo record; or tried; or prepared. */
        PREPARED,
        COMMITTED,
        /** Undone, or never to happen. */
        ROLLED_BACK
    }

    /** What an initiator learns of work that it asked for. */
    enum Result {
        WORKED,
        FAILED,
        /** It failed, and the coordinator knows: the initiator may commit without it. */
        FAILURE_NOTED
    }

    /** One branch. */
    static final class Work {
        final long transaction;
        final long branch;
        final BranchType type;
        final String resource;
        List<LockKeys.Row> rows = List.of(); // known from its registration on
        final Map<String, Long> before = new HashMap<>();
        Progress progress = Progress.NOTHING;
        boolean failureNoted;
        int reports;
        boolean decided;

        private Work(long transaction, long branch, BranchType type, String resource) {
            this.transaction = transaction;
            this.branch = branch;
            this.type = type;
            this.resource = resource;
        }

        String reportId() {
            return String.format("%016x", branch << 8 ^ reports);
        }

        @Override
        public String toString() {
            return "branch " + branch + " (" + type + " in " + resource + rows + ", " + progress + ')';
        }
    }

    private final Simulation world;
    private final Dice dice;
    private final Trace trace;
    private final Roughness roughness;
    private final Map<Long, Work> works = new LinkedHashMap<>();

    /** The last words of the engine of sagas. */
    private final Map<Long, Outcome> words = new HashMap<>();

    /** Each row with the branch that wrote it last. */
    private final Map<String, Long> rows = new TreeMap<>();

    private final Map<String, Integer> lives = new HashMap<>();
    private final Map<String, Boolean> running = new HashMap<>();
    private final Map<String, Boolean> connected = new HashMap<>();
    private final Map<String, Connection> connections = new HashMap<>();
    private long lastRequestId;
    private final boolean oneDatabase;

    /** What the coordinator sees of a resource manager's process. */
    private static final class Connection implements Caller {
        private boolean open = true;

        @Override
        public boolean isOpen() {
            return open;
        }
    }

    private Connection connection(String resource) {
        return connections.computeIfAbsent(resource, r -> new Connection());
    }

    /** @param oneDatabase whether two of the resources are one database by two URLs */
    ResourceManagers(Simulation world, Dice dice, Trace trace, Roughness roughness, boolean oneDatabase) {
        this.oneDatabase = oneDatabase;
        this.world = world;
        this.dice = dice;
        this.trace = trace;
        this.roughness = roughness;
        for (String name : NAMES) {
            lives.put(name, 1);
            running.put(name, true);
            connected.put(name, true);
        }
    }

    // Processes and connections

    /** The coordinator has gone: all must connect again. */
    void disconnected() {
        for (String name : NAMES) {
            connected.put(name, false);
        }
        connections.clear();
    }

    boolean isConnected(String resource) {
        return connected.get(resource);
    }

    void crash(String resource) {
        if (running.put(resource, false)) {
            trace.note(resource, " is killed");
            connected.put(resource, false);
            lives.merge(resource, 1, Integer::sum);
            Connection gone = connections.remove(resource);
            if (gone != null) {
                gone.open = false;
                world.closed(gone);
            }
        }
    }

    /** Starts what is down and connects what is not connected. Returns whether there is now a new connection. */
    boolean comeBack(String resource) {
        running.put(resource, true);
        boolean news = !connected.put(resource, true);
        if (news) {
            trace.note(resource, " connects");
        }
        return news;
    }

    /** The same, unless it is cut off before. */
    private Runnable whileAlive(String resource, Runnable what) {
        int life = lives.get(resource);
        return () -> {
            if (lives.get(resource) == life) {
                what.run();
            }
        };
    }

    // Phase one

    /**
     * What is to be done.
     *
     * @param beginning comes along with the registration, when the transaction may not have begun; else null
     * @param branch a lent id for it; 0: any
     */
    record Order(Xid xid, BranchType type, String resource, LockKeys locks, Command.Begin beginning, long branch) {
        Order withoutId() {
            return new Order(xid, type, resource, locks, beginning, 0);
        }
    }

    /** Registers a branch and does its local work; {@code done} learns whether it worked, unless the news is lost. */
    void work(Order order, Consumer<Result> done) {
        if (!running.get(order.resource)) {
            world.send(() -> done.accept(Result.FAILED));
            return;
        }
        register(order, done, dice.below(3), 0);
    }

    private void register(Order order, Consumer<Result> done, int triesLeft, long repeated) {
        Xid xid = order.xid;
        BranchType type = order.type;
        String resource = order.resource;
        LockKeys locks = order.locks;
        long wait = locks != null && dice.below(4) > 0 ? dice.between(20, 4_000) : 0;
        long requestId = repeated != 0 ? repeated : dice.coin() ? ++lastRequestId : 0;
        trace.note(
                "register ",
                xid,
                ' ',
                type,
                ' ',
                resource,
                ' ',
                locks,
                " waits ",
                wait,
                " request ",
                requestId,
                " id ",
                order.branch);
        boolean[] over = new boolean[1];
        Command command = new Command.RegisterBranch(
                xid, type, resource, CLIENT, locks, dice.coin(), data(resource), null, wait, requestId, order.branch);
        world.ask(order.beginning, command, connection(resource), reply -> whileAlive(resource, () -> {
                    if (over[0]) {
                        return; // it was given up, or this is the answer to a repetition
                    }
                    over[0] = true;
                    if (reply instanceof Reply.Registered registered) {
                        Work work = workOf(xid.number(), registered.branch(), type, resource, locks);
                        world.later(whileAlive(resource, () -> localCommit(xid, work, done)));
                    } else if (reply instanceof Reply.LockConflict conflict && !conflict.failFast() && triesLeft > 0) {
                        world.later(whileAlive(resource, () -> register(order, done, triesLeft - 1, 0)));
                    } else {
                        world.send(() -> done.accept(Result.FAILED));
                    }
                })
                .run());
        if (dice.mishap(12)) {
            world.later(whileAlive(resource, () -> {
                if (!over[0]) {
                    over[0] = true;
                    trace.note(resource, " waits no longer for its registration");
                    if ((type == BranchType.AT || requestId != 0) && triesLeft > 0) {
                        // What may be registered already under this id, nobody can tell from it without a request id.
                        register(requestId == 0 ? order.withoutId() : order, done, triesLeft - 1, requestId);
                    } else {
                        world.send(() -> done.accept(Result.FAILED));
                    }
                }
            }));
        }
    }

    /** What a client says of a branch, or of rows that it asks for. */
    String data(String resource) {
        return oneDatabase && resource.startsWith("db-") ? "{\"rows\":\"one\"}" : "data";
    }

    /** What it says of a branch later: who names a database goes on to name it. */
    private String newData(String resource) {
        String data = data(resource);
        return data.startsWith("{") ? "{\"new\":2," + data.substring(1) : "data2";
    }

    private Work workOf(long transaction, long branch, BranchType type, String resource, LockKeys locks) {
        Work work = works.computeIfAbsent(branch, id -> new Work(transaction, id, type, resource));
        if (locks != null) {
            work.rows = locks.rows();
        }
        return work;
    }

    private void localCommit(Xid xid, Work work, Consumer<Result> done) {
        boolean late = work.type == BranchType.XA && world.promises().isPastDeadline(work.transaction);
        late |= world.promises().isCommittedRegardless(work.transaction);
        if (dice.mishap(8) || late || work.progress != Progress.NOTHING) {
            // The database refused it, or the fence did: a call of phase two came first. What is refused once never
            // happens.
            trace.note("no local commit of ", work);
            if (work.progress == Progress.NOTHING) {
                reportFailure(xid, work, done);
            } else {
                world.send(() -> done.accept(Result.FAILED));
            }
            return;
        }
        trace.note("local commit of ", work);
        write(work);
        if (work.type == BranchType.AT && dice.mishap(4)) {
            reportFailure(xid, work, done); // the connection broke in the commit: it takes for failed what was done
            return;
        }
        if (dice.below(3) == 0) {
            trace.note("report new data of ", work);
            world.ask(new Command.ReportBranch(xid, work.branch, false, newData(work.resource)), reply -> {});
        }
        world.send(() -> done.accept(Result.WORKED));
    }

    private void reportFailure(Xid xid, Work work, Consumer<Result> done) {
        if (dice.below(4) == 0) {
            world.send(() -> done.accept(Result.FAILED));
            return;
        }
        trace.note("report failure of ", work);
        // Nor does it name the database again: its rows stay held by that name.
        world.ask(new Command.ReportBranch(xid, work.branch, true, "data2"), reply -> {
            boolean noted = reply instanceof Reply.Reported && !world.promises().isDecidedRegardless(work.transaction);
            work.failureNoted |= noted && work.progress == Progress.NOTHING;
            world.send(() -> done.accept(noted ? Result.FAILURE_NOTED : Result.FAILED));
        });
    }

    private static String key(Work work, LockKeys.Row row) {
        return work.resource + ' ' + row.table() + ':' + row.key();
    }

    private void write(Work work) {
        work.progress = Progress.PREPARED;
        for (LockKeys.Row row : work.rows) {
            String key = key(work, row);
            long before = rows.getOrDefault(key, 0L);
            Work writer = works.get(before);
            world.promises()
                    .require(
                            writer == null
                                    || writer.transaction == work.transaction
                                    || writer.progress != Progress.PREPARED
                                    || world.promises().isSettled(writer),
                            () -> work + " writes a row that is still to be undone or committed by " + writer);
            work.before.put(key, before);
            rows.put(key, work.branch);
        }
    }

    // Phase two

    /** A call arrives, if it does. */
    void call(Effect.CallBranch call, BranchCaller.CallEnd end) {
        Runnable arrival = whileAlive(call.resource(), () -> arrive(call, end));
        if (dice.mishap(roughness.loses()) || dice.mishap(roughness.resourceCrashes())) {
            if (dice.coin()) {
                world.later(() -> end.ended(Answer.UNREACHABLE, "the connection broke"));
            }
            return;
        }
        world.later(arrival);
        if (dice.mishap(roughness.repeats())) {
            world.later(arrival);
        }
    }

    private void arrive(Effect.CallBranch call, BranchCaller.CallEnd end) {
        if (call.branch() == call.transaction()) {
            Answer answer = drive(call);
            trace.note(call.resource(), " answers ", answer, " to ", call.phase(), " of saga ", call.transaction());
            world.send(() -> end.ended(answer, "simulated"));
            return;
        }
        Work work = workOf(call.transaction(), call.branch(), call.type(), call.resource(), null);
        boolean wasOver = work.progress == Progress.COMMITTED || work.progress == Progress.ROLLED_BACK;
        Answer answer;
        boolean undoes = work.type == BranchType.AT && call.phase() == Outcome.ROLLBACK;
        if (call.decision() != null) {
            world.promises().require(undoes, () -> "a decision about rows that are not to be undone: " + call);
            answer = decided(work, UndoDecision.decode(call.decision())) ? Answer.DONE : Answer.NEVER;
        } else if (dice.mishap(roughness.fails())) {
            answer = Answer.RETRYABLE;
        } else if (dice.mishap(roughness.never())) {
            answer = Answer.NEVER;
        } else {
            boolean done = call.phase() == Outcome.COMMIT ? commit(work) : rollBack(work);
            answer = done ? Answer.DONE : Answer.NEVER;
            if (work.type == BranchType.XA && (work.progress == Progress.NOTHING || wasOver && dice.mishap(3))) {
                answer = Answer.NOT_FOUND; // never prepared, or finished and forgotten: the database cannot tell
            }
        }
        Answer said = answer;
        trace.note(call.resource(), " answers ", said, " to ", call.phase(), " of ", work);
        RowData report = said == Answer.NEVER && undoes && work.progress == Progress.PREPARED && dice.below(4) > 0
                ? report(work)
                : null;
        world.send(() -> end.ended(said, "simulated", report));
    }

    /** The rows in the way; somebody may have changed them since the last report. */
    private RowData report(Work work) {
        if (dice.coin()) {
            work.reports++;
        }
        UndoReport.Row row =
                new UndoReport.Row("t", "1", UndoReport.Cause.CHANGED, null, true, true, true, true, List.of(), 0);
        return new UndoReport(work.reportId(), List.of(row), 0).encoded();
    }

    /** An operator wants the rows restored: that is done once, and only if they are what they were for the report. */
    private boolean decided(Work work, UndoDecision decision) {
        if (work.progress != Progress.PREPARED) {
            return rollBack(work);
        }
        if (dice.mishap(3)) {
            work.reports++; // somebody changed the rows again
        }
        if (!decision.report().equals(work.reportId())) {
            return false;
        }
        world.promises().require(!work.decided, () -> "a decision is carried out twice: " + work);
        world.promises().rollsBack(work);
        work.decided = true;
        for (LockKeys.Row row : work.rows) {
            rows.computeIfPresent(key(work, row), (key, now) -> now == work.branch ? work.before.get(key) : now);
        }
        work.progress = Progress.ROLLED_BACK;
        return true;
    }

    // Sagas

    /** The engine is called: it repeats its last word, or has it now, or is to be called again in this direction or in the other. */
    private Answer drive(Effect.CallBranch call) {
        if (!words.containsKey(call.transaction()) && dice.mishap(3)) {
            return dice.oneOf(Answer.RETRYABLE, Answer.TURNED, Answer.TURNED, Answer.NEVER);
        }
        Outcome word = words.computeIfAbsent(call.transaction(), number -> call.phase());
        return word == call.phase() ? Answer.DONE : Answer.ENDED_OTHERWISE;
    }

    /** The engine reports by itself: its last word, or that it is to be called again. */
    Command report(Xid saga) {
        if (dice.coin()) {
            words.computeIfAbsent(saga.number(), number -> dice.oneOf(Outcome.COMMIT, Outcome.ROLLBACK));
        }
        Outcome word = words.get(saga.number());
        trace.note("the engine of saga ", saga, word == null ? " wants to be called" : " ends with " + word);
        return new Command.ReportSaga(
                saga, word == null ? dice.oneOf(Outcome.COMMIT, Outcome.ROLLBACK) : word, word != null);
    }

    /** The last word of a saga's engine, or null. */
    Outcome word(long saga) {
        return words.get(saga);
    }

    private boolean commit(Work work) {
        world.promises()
                .require(work.progress != Progress.ROLLED_BACK, () -> "committed after it was rolled back: " + work);
        world.promises()
                .require(
                        !work.failureNoted || work.type == BranchType.AT,
                        () -> "committed though its phase one failed: " + work);
        work.progress = Progress.COMMITTED;
        return true;
    }

    private boolean rollBack(Work work) {
        world.promises()
                .require(work.progress != Progress.COMMITTED, () -> "rolled back after it was committed: " + work);
        if (work.progress == Progress.ROLLED_BACK) {
            return true;
        }
        world.promises().rollsBack(work);
        if (work.type == BranchType.XA && work.progress == Progress.NOTHING) {
            return true; // a database has no fence: what was not prepared may still be
        }
        if (work.progress == Progress.PREPARED && !undo(work)) {
            return false;
        }
        work.progress = Progress.ROLLED_BACK;
        return true;
    }

    /** Puts the rows back, if nobody has changed them since. That may be so only where an operator gave up a branch. */
    private boolean undo(Work work) {
        List<String> keys = new ArrayList<>();
        for (LockKeys.Row row : work.rows) {
            String key = key(work, row);
            long now = rows.getOrDefault(key, 0L);
            if (now != work.branch && now != work.before.get(key)) {
                boolean explained =
                        world.promises().isGivenUp(now) || world.promises().hasGivenUp(work.transaction);
                world.promises()
                        .require(
                                explained,
                                () -> work + " cannot be undone: row " + key + " was written by " + works.get(now));
                return false;
            }
            keys.add(key);
        }
        keys.forEach(key -> rows.put(key, work.before.get(key)));
        return true;
    }

    // For the checks

    Collection<Work> works() {
        return works.values();
    }

    Work work(long branch) {
        return works.get(branch);
    }

    Map<String, Long> rows() {
        return rows;
    }
}
