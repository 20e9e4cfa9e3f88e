package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the simulation is worth: mistakes planted in the coordinator's code, each of which it finds. */
class PlantedMistakesTest {

    /** The worlds that every mistake must show itself in, at the latest. */
    private static final long SEEDS = 30_000;

    /** In the short form one of so many is looked for: each costs a compiler and a second set of classes. */
    private static final int ONE_OF = Boolean.getBoolean("txn.test.wide") ? 1 : 4;

    static Stream<PlantedMistake> mistakes() {
        String only = System.getProperty("txn.test.mistake", "");
        return only.isEmpty()
                ? IntStream.range(0, MISTAKES.size())
                        .filter(index -> index % ONE_OF == 0)
                        .mapToObj(MISTAKES::get)
                : MISTAKES.stream().filter(mistake -> mistake.what().contains(only));
    }

    static final List<PlantedMistake> MISTAKES = List.of(
            // Acknowledged is durable
            new PlantedMistake(
                    "a reply before the journal",
                    "engine/EngineCore.java",
                    "void gate(",
                    "gates.isEmpty() && handedOver <= receipts.durable",
                    "gates.isEmpty()"),
            new PlantedMistake(
                    "replies let out one record too early",
                    "engine/EngineCore.java",
                    "void release(",
                    "gate.index <= durable",
                    "gate.index <= durable + 1"),
            new PlantedMistake(
                    "a call before the decision is durable",
                    "engine/EngineCore.java",
                    "void drive(",
                    "gate(() -> send(flight), cause -> {});",
                    "send(flight);"),
            new PlantedMistake(
                    "whoever waits is not told that the disk failed",
                    "engine/WaitingInitiators.java",
                    "Initiator takeAny(",
                    "if (!all.hasNext())",
                    "if (byTransaction.size() <= 1)"),
            new PlantedMistake(
                    "a state before its record, which the journal then refuses",
                    "engine/EngineCore.java",
                    "@Nullable TxnException record(",
                    "receipts.refusal = null;",
                    "receipts.refusal = null; events.forEach(event -> shard.apply(event, now));"),
            new PlantedMistake(
                    "a record that nobody has written",
                    "engine/EngineCore.java",
                    "void flush(",
                    "now >= stagedAt + LINGER",
                    "now >= stagedAt + (1L << 40)"),
            new PlantedMistake(
                    "an engine that sleeps while a record waits to be written",
                    "engine/EngineCore.java",
                    "long idleMillis(",
                    "at = Math.min(at, stagedAt + LINGER);",
                    "at = Long.MAX_VALUE;"),
            // One decision
            new PlantedMistake(
                    "a transaction past its deadline that is committed all the same",
                    "machine/Machine.java",
                    "Decision commit(",
                    "moment.at >= moment.deadline",
                    "moment.at >= moment.deadline + 1"),
            new PlantedMistake(
                    "a branch that joins after the deadline",
                    "machine/Machine.java",
                    "Decision register(",
                    "moment.at >= moment.deadline",
                    "false"),
            new PlantedMistake(
                    "a decision taken twice",
                    "machine/Machine.java",
                    "Decision rollback(",
                    "transaction.state() != TransactionState.ACTIVE",
                    "transaction.state().isFinal()"),
            new PlantedMistake(
                    "a deadline that strikes too early",
                    "machine/Machine.java",
                    "Decision register(",
                    "moment.at >= moment.deadline",
                    "moment.at >= moment.deadline - 50"),
            new PlantedMistake(
                    "no grace after a restart",
                    "machine/Shard.java",
                    "void restarted(",
                    "graceUntil = now + grace",
                    "graceUntil = now"),
            new PlantedMistake(
                    "an initiator that is told what it asked for instead of what was decided",
                    "machine/Machine.java",
                    "Decision rollback(",
                    "return Decision.of(new Reply.Known(transaction));",
                    "return Decision.of(new Reply.Decided(transaction, Reply.Pass.DONE));"),
            // Locks
            new PlantedMistake(
                    "a lock freed when the rollback is decided",
                    "machine/Shard.java",
                    "void apply(GlobalTransaction before",
                    "event instanceof Event.CommitDecided",
                    "(event instanceof Event.CommitDecided || event instanceof Event.RollbackDecided)"),
            new PlantedMistake(
                    "a lock kept for ever", "machine/Shard.java", "void passOn(", "release(transaction, ended);", ""),
            new PlantedMistake(
                    "a lock freed under a second branch that names the row",
                    "machine/Shard.java",
                    "void passOn(",
                    "locks.handOver(from, to, name, keys(branch.locks()));",
                    ""),
            new PlantedMistake(
                    "rows that lose a name they are held by",
                    "machine/Branch.java",
                    "Branch withData(",
                    "keepsNames(newApplicationData) ? newApplicationData : applicationData",
                    "newApplicationData"),
            new PlantedMistake(
                    "a lock that only looks at the first row",
                    "lock/LockTable.java",
                    "LockConflict conflict(",
                    "for (LockKeys.Row row : keys.rows())",
                    "for (LockKeys.Row row : keys.rows().subList(0, 1))"),
            new PlantedMistake(
                    "locks forgotten by a snapshot",
                    "machine/Shard.java",
                    "public void restore(",
                    "!branch.state().isOver() && branch.locks() != null",
                    "branch.state() == BranchState.REGISTERED && branch.locks() != null"),
            new PlantedMistake(
                    "a row that comes free and wakes nobody",
                    "machine/LockWaits.java",
                    "void freed(",
                    "dueIfFree(queue);",
                    ""),
            new PlantedMistake(
                    "whoever came last goes first",
                    "machine/LockWaits.java",
                    "Due next(",
                    "queue.watching.firstEntry()",
                    "queue.watching.lastEntry()"),
            new PlantedMistake(
                            "a deadlock that nobody looks for",
                            "machine/LockWaits.java",
                            "Due next(",
                            "List<Step> circle = circle(suspect);",
                            "List<Step> circle = null;")
                    .rare(1_420),
            new PlantedMistake(
                    "a rollback that lets its waiters wait",
                    "machine/LockWaits.java",
                    "void holderRollsBack(",
                    "queue.wanting.forEach(waiter -> woken.put(waiter.place, waiter));",
                    ""),
            new PlantedMistake(
                    "a wait that never ends",
                    "machine/LockWaits.java",
                    "Waiter expired(",
                    "byEnd.isEmpty() || byEnd.first().until > now",
                    "now < Long.MAX_VALUE"),
            new PlantedMistake(
                    "a registration that is asked again and made again",
                    "machine/Machine.java",
                    "Decision register(",
                    "command.requestId() == 0",
                    "command.requestId() != -1"),
            new PlantedMistake(
                    "a begin that is asked again and made again",
                    "machine/Shard.java",
                    "Decision begin(",
                    "command.requestId() == 0",
                    "command.requestId() != -1"),
            // Phase two
            new PlantedMistake(
                    "the order of rollback swapped",
                    "machine/Machine.java",
                    "List<Branch> callable(",
                    "for (int i = branches.size() - 1; i >= 0; i--)",
                    "for (int i = 0; i < branches.size(); i++)"),
            new PlantedMistake(
                    "a call with the opposite decision",
                    "machine/Machine.java",
                    "Effect.CallBranch call(",
                    "transaction.outcome()",
                    "branch.attempts() > 1 ? Outcome.COMMIT : transaction.outcome()"),
            new PlantedMistake(
                    "a failure taken for done",
                    "machine/Machine.java",
                    "Decision answered(",
                    "command.answer() == Answer.DONE",
                    "command.answer() == Answer.DONE || command.answer() == Answer.RETRYABLE"),
            new PlantedMistake(
                    "an unknown XA branch taken for done at once",
                    "machine/Machine.java",
                    "long xaForgottenAt(",
                    "return transaction.deadline()",
                    "return 0 * transaction.deadline()"),
            new PlantedMistake(
                    "a branch that failed phase one and is committed",
                    "machine/Branch.java",
                    "boolean isOwed(",
                    "return state != BranchState.FAILED_PHASE_ONE",
                    "return state != BranchState.FAILED_PHASE_ONE || type != BranchType.AT"),
            new PlantedMistake(
                    "two calls of one branch at a time",
                    "engine/CallLanes.java",
                    "Flight start(",
                    "inFlight.containsKey(call.branch()) ||",
                    "inFlight.containsKey(-call.branch()) ||"),
            new PlantedMistake(
                    "a call that was lost and never ends",
                    "engine/CallLanes.java",
                    "Flight expired(",
                    "oldest.deadline > now",
                    "oldest.deadline > 0"),
            new PlantedMistake(
                    "a call that counts on after its end",
                    "engine/CallLanes.java",
                    "boolean land(",
                    "turns.remove(flight.call.transaction());",
                    ""),
            new PlantedMistake(
                    "a retry without its delay",
                    "machine/Branch.java",
                    "boolean isDue(",
                    "nextAt <= now",
                    "nextAt <= now + 200"),
            new PlantedMistake(
                    "the end of a transaction with a branch that is stuck",
                    "machine/Draft.java",
                    "Draft conclude(",
                    "stuck != null && (isUnderWay()",
                    "stuck != null && stuck.attempts() > 1 && (isUnderWay()"),
            new PlantedMistake(
                    "a branch given up while it is being called",
                    "engine/EngineCore.java",
                    "Long givenUpTooEarly(",
                    "lanes.isAtWork(giveUp.branch(), now)",
                    "lanes.isAtWork(-1, now)"),
            new PlantedMistake(
                    "an operator who turns a decision round",
                    "machine/Machine.java",
                    "Decision decide(",
                    "transaction.outcome() == Outcome.OPEN",
                    "transaction.outcome() == Outcome.OPEN || transaction.outcome() != force.outcome()"),
            new PlantedMistake(
                    "a saga that ends as it was called and not as its engine says",
                    "machine/Sagas.java",
                    "Decision answered(",
                    "command.answer() == Answer.DONE ? command.phase() : otherwise",
                    "command.phase()"),
            new PlantedMistake(
                    "a step of a saga that is called",
                    "machine/Branch.java",
                    "boolean isOwed(",
                    "type == BranchType.SAGA || state.isOver()",
                    "state.isOver()"),
            new PlantedMistake(
                            "a decision about rows that goes out again after they have changed",
                            "machine/Machine.java",
                            "event instanceof Event.DirtReported",
                            "new Dirt(reported.report(), null, null)",
                            "new Dirt(reported.report(), branch.dirt() == null ? null : branch.dirt().decision(), null)")
                    .rare(2_037),
            new PlantedMistake(
                    "a decision about rows that a call goes without",
                    "machine/Machine.java",
                    "static Effect.CallBranch call(",
                    "branch.dirt() == null ? null",
                    "branch.dirt() == null || branch.dirt().report() != null ? null"),
            new PlantedMistake(
                    "a decision about rows lost in a snapshot",
                    "engine/SnapshotCodec.java",
                    "private static void dirt(",
                    "dirt.decision() == null ? null",
                    "dirt.decision() == null || dirt.report() != null ? null"),
            // Request keys
            new PlantedMistake(
                    "a request key that two have at a time",
                    "machine/Shard.java",
                    "private Decision begin(",
                    "if (first != null) {",
                    "if (first != null && first.isSettled()) {"),
            new PlantedMistake(
                    "a request key that is free while its rollback goes on",
                    "machine/Shard.java",
                    "void apply(GlobalTransaction before",
                    "keys.decided(after.number(), Outcome.ROLLBACK, at);",
                    "keys.decided(after.number(), Outcome.ROLLBACK, at); keys.ended(after.number());"),
            new PlantedMistake(
                    "a request key that is never free again",
                    "machine/Shard.java",
                    "void apply(GlobalTransaction before",
                    "keys.ended(after.number());",
                    ""),
            new PlantedMistake(
                    "a request key that does not live for its time",
                    "machine/RequestKeys.java",
                    "boolean isOver(",
                    "entry.decidedAt + limits.lifetime <= at",
                    "entry.decidedAt + limits.lifetime <= at + 500"),
            new PlantedMistake(
                    "a repeated request that is told of a commit before it is decided",
                    "machine/RequestKeys.java",
                    "boolean isSettled(",
                    "outcome == Outcome.COMMIT",
                    "outcome != Outcome.ROLLBACK"),
            new PlantedMistake(
                    "a request that is committed without what it returned",
                    "machine/Shard.java",
                    "private Decision decide(GlobalTransaction transaction",
                    "? withFirst(new Event.KeyAnswered(transaction.number(), answer), decision)",
                    "? decision"),
            new PlantedMistake(
                            "what the first request of a key returned, told of the next one of it",
                            "machine/RequestKeys.java",
                            "void claimed(",
                            "Outcome.OPEN, null, 0)",
                            "Outcome.OPEN, before == null ? null : before.answer(), 0)")
                    .and("machine/RequestKeys.java", "void claimed(", "expire(at);", ""),
            new PlantedMistake(
                    "a request that nobody was told of, and may not come again",
                    "machine/Shard.java",
                    "Answer answer(Command command",
                    "&& !rollback.timedOut()",
                    ""),
            new PlantedMistake(
                    "a request key lost in a snapshot while its request runs",
                    "machine/RequestKeys.java",
                    "List<Entry> capture(",
                    "if (!entry.isSettled()) {",
                    "if (entry.answer != null) {"),
            new PlantedMistake(
                    "an answer lost in a snapshot",
                    "engine/SnapshotCodec.java",
                    "RequestKeys.Entry key(In in)",
                    "in.u1() == 0 ? null : EventCodec.answer(in)",
                    "in.u1() == 0 || EventCodec.answer(in) != null ? null : null"),
            // Time and recovery
            new PlantedMistake(
                            "a lost timer",
                            "engine/Timers.java",
                            "void moved(",
                            "shard.nextDueAfter(transaction, now) != before",
                            "shard.nextDueAfter(transaction, now) != before && before == Long.MAX_VALUE")
                    .rare(12_797),
            new PlantedMistake(
                            "a retry that is due when timers are cleared away, and is cleared away with them",
                            "engine/Timers.java",
                            "void compact(",
                            "if (at != Long.MAX_VALUE)",
                            "if (at != Long.MAX_VALUE && (at > now"
                                    + " || transaction.state() == TransactionState.ACTIVE))")
                    .and("engine/Timers.java", "long poll(", "void compact()", "void compact(long now)")
                    .and("engine/EngineCore.java", "void tick(", "timers.compact();", "timers.compact(now);"),
            new PlantedMistake(
                    "a retry forgotten after a restart",
                    "engine/EngineCore.java",
                    "private void restored(",
                    "restored.add(transaction.number());",
                    ""),
            new PlantedMistake(
                    "a resource manager that comes and wakes nobody",
                    "engine/EngineCore.java",
                    "private void driveArrived(",
                    "shard.resourceCame(arrival.transaction(), arrival.resource());",
                    ""),
            new PlantedMistake(
                    "a resource manager that came while its absence was being noted",
                    "engine/EngineCore.java",
                    "void end(",
                    "answer == Answer.ABSENT && stopped == null && caller.canCall(call)",
                    "false"),
            new PlantedMistake(
                    "a deadline that the journal refused and nobody tries again",
                    "engine/EngineCore.java",
                    "private void decideDue(",
                    "shard.nextDue(number) <= now && stopped == null && isActive(number)",
                    "false"),
            new PlantedMistake(
                    "an engine that sleeps through its deadlines",
                    "engine/EngineCore.java",
                    "long idleMillis(",
                    "Math.min(timers.earliest(), lanes.nextDeadline())",
                    "lanes.nextDeadline()"),
            new PlantedMistake(
                    "time that jumps back with the clock",
                    "engine/JournalTime.java",
                    "long now(",
                    "ahead -= step;",
                    ""),
            new PlantedMistake(
                    "time that starts before what was recorded",
                    "engine/EngineCore.java",
                    "public void record(long index",
                    "time.atLeast(entry.time());",
                    ""),
            new PlantedMistake(
                    "a snapshot without a transaction's last branch",
                    "machine/Shard.java",
                    "Capture capture(",
                    "Arrays.asList(transactions.values().toArray(new GlobalTransaction[0]))",
                    "transactions.values().stream().map(t -> t.branches().size() < 3 ? t"
                            + " : t.withBranches(t.branches().subList(0, 2))).toList()"),
            new PlantedMistake(
                    "a replay that applies an event twice",
                    "engine/EngineCore.java",
                    "public void record(long index",
                    "shard.apply(event, entry.time());",
                    "shard.apply(event, entry.time()); shard.apply(event, entry.time());"),
            new PlantedMistake(
                    "ids that are lent and given to somebody else too",
                    "machine/Shard.java",
                    "public void apply(Event event, long at)",
                    "lastId += leased.count();",
                    "lastId += leased.count() - 1;"),
            new PlantedMistake(
                    "a transaction that is begun again under its lent id when it has ended",
                    "machine/Shard.java",
                    "Reply known(Command.Begin",
                    "transactions.get(command.number());",
                    "transactions.get(command.number());"
                            + " if (there != null && there.state().isFinal()) { return null; }"),
            new PlantedMistake(
                    "a branch under the lent id of another one",
                    "machine/Machine.java",
                    "boolean isLent(",
                    "&& transaction.branch(id) == null",
                    ""),
            new PlantedMistake(
                    "ids given out again after a restart",
                    "engine/SnapshotCodec.java",
                    "static long read(",
                    "shard.restoreLastId(varint(stream));",
                    "shard.restoreLastId(varint(stream) - 1);"));

    /** All of them, also those that the short form does not look for. */
    @ParameterizedTest(name = "{0}")
    @FieldSource("MISTAKES")
    void itsLineIsThere(PlantedMistake mistake) {
        assertThat(mistake.changedSources()).isNotEmpty();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("mistakes")
    void itIsFound(PlantedMistake mistake) {
        LongFunction<String> worlds = mistake.worlds();
        long[] seeds = LongStream.concat(LongStream.of(mistake.rare()), LongStream.rangeClosed(1, SEEDS))
                .filter(seed -> seed > 0)
                .toArray();
        for (long seed : seeds) {
            String broken = worlds.apply(seed);
            if (broken != null) {
                System.out.printf("%-75s seed %4d: %.150s%n", mistake.what(), seed, broken);
                assertThat(broken).isNotEmpty();
                assertThat(new Simulation.Worlds().apply(seed))
                        .as("the same world, %s, of the code as it is", seed)
                        .isNull();
                return;
            }
        }
        throw new AssertionError("not found in " + SEEDS + " worlds: " + mistake.what());
    }
}
