package io.txn.coordinator.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.lock.LockKeys;
import io.txn.protocol.BranchType;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.BranchPolicy;
import io.txn.protocol.extension.RequestKey;
import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stories as text: commands in ({@code > ...}), events, effects and replies out. {@code -Dtxn.scenarios.update=true} writes the answers anew; the
 * difference is then reviewed like code. Ids appear under the names that the story gives them.
 */
class MachineScenarioTest {

    private static final Path SCENARIOS = Path.of("src/test/resources/scenarios");
    private static final Pattern LONG_NUMBER = Pattern.compile("\\d{12,}");
    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);
    private static final long START = 1_000_000;

    static Stream<Path> scenarios() throws IOException {
        try (Stream<Path> files = Files.list(SCENARIOS)) {
            return files.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void storyGoesAsWritten(Path file) throws IOException {
        String expected = Files.readString(file);
        StringBuilder actual = new StringBuilder();
        Story story = new Story();
        for (String line : expected.lines().toList()) {
            if (line.startsWith("> ")) {
                actual.append(line).append('\n');
                for (String answer : story.tell(line.substring(2).split(" "))) {
                    actual.append("    ").append(story.named(answer)).append('\n');
                }
            } else if (!line.startsWith("    ")) {
                actual.append(line).append('\n');
            }
        }
        if (Boolean.getBoolean("txn.scenarios.update")) {
            Files.writeString(file, actual);
        } else {
            assertThat(actual.toString()).isEqualTo(expected);
        }
    }

    private static final class Story {
        private final Shard shard =
                new Shard(new Rules(4, 3, 2, 100, 1_000, 5_000, new RequestKeys.Limits(3, 2_500, 10_000)));
        private final Map<String, String> names = new HashMap<>();
        private final Map<String, Long> ids = new HashMap<>();
        private final Map<LockWaits.Waiter, String> callers = new HashMap<>();
        private long now = START;

        Story() {
            shard.apply(new Event.EpochStarted(1, 0), now);
        }

        List<String> tell(String[] words) {
            switch (words[0]) {
                case "at" -> {
                    now = START + Long.parseLong(words[1]);
                    return List.of();
                }
                case "pending" -> {
                    return shard.pending(id(words[1]), now).stream()
                            .map(call -> "call " + call.phase() + ' ' + call.branch() + " attempt " + call.attempt()
                                    + (call.timeout() == 0 ? "" : " within " + call.timeout() + " ms")
                                    + (call.decision() == null
                                            ? ""
                                            : " decision for "
                                                    + UndoDecision.decode(call.decision())
                                                            .report()))
                            .toList();
                }
                case "show" -> {
                    GlobalTransaction transaction = shard.transaction(id(words[1]));
                    return transaction == null
                            ? List.of("nothing")
                            : Stream.concat(
                                            Stream.of(summary(transaction)),
                                            transaction.branches().stream().map(Story::summary))
                                    .toList();
                }
                case "locks" -> {
                    return List.of(shard.locks().toString());
                }
                case "keys" -> {
                    return shard.capture().keys().stream().map(Story::text).toList();
                }
                case "restart" -> {
                    shard.restarted(now, Long.parseLong(words[1]));
                    return List.of();
                }
                default -> {
                    return decide(words);
                }
            }
        }

        private List<String> decide(String[] words) {
            Command command = command(words);
            Decision decision = shard.decide(command, now);
            if (decision.reply() instanceof Reply.Begun begun) {
                name(words[1], begun.xid().number());
            }
            List<String> lines = new ArrayList<>();
            if (command instanceof Command.ForRows forRows
                    && decision.reply() instanceof Reply.LockConflict conflict
                    && conflict.why() == Reply.Why.HELD
                    && forRows.waitMillis() > 0) {
                LockWaits.Waiter waiter =
                        shard.waits().add(forRows, conflict.row(), 0, now, now + forRows.waitMillis());
                callers.put(waiter, words[2]);
                lines.add("waits for " + conflict.row());
            } else {
                lines.addAll(made(words, words[2 % words.length], decision));
            }
            settle(lines);
            return lines;
        }

        /** Looks at everybody who may be able to go, as the engine does after each decision. */
        private void settle(List<String> lines) {
            LockWaits.Due due;
            while ((due = shard.waits().next(now)) != null) {
                LockWaits.Waiter waiter = due.waiter();
                String caller = callers.getOrDefault(waiter, "?");
                if (due instanceof LockWaits.Victim victim) {
                    shard.waits().remove(waiter);
                    lines.add(caller + ": reply " + text(victim.refusal()));
                    continue;
                }
                Decision decision = shard.decide(waiter.command(), now);
                if (decision.reply() instanceof Reply.LockConflict conflict && conflict.why() == Reply.Why.HELD) {
                    shard.waits().watch(waiter, conflict.row());
                    lines.add(caller + ": waits for " + conflict.row());
                } else {
                    made(new String[] {""}, caller, decision).forEach(line -> lines.add(caller + ": " + line));
                    shard.waits().remove(waiter);
                }
            }
        }

        private List<String> made(String[] words, String branch, Decision decision) {
            if (decision.reply() instanceof Reply.Registered registered) {
                name(branch, registered.branch());
            }
            decision.events().forEach(event -> shard.apply(event, now));
            if (words[0].equals("answer") && words[5].equals("ABSENT")) {
                GlobalTransaction transaction = shard.transaction(id(words[1]));
                String resource = transaction.branch(id(words[2])).resource();
                shard.awaitResource(id(words[1]), id(words[2]), resource);
            } else if (words[0].equals("available")) {
                shard.resourceCame(id(words[1]), words[2]);
            }
            return Stream.of(
                            decision.events().stream().map(event -> "event " + event),
                            decision.effects().stream().map(Story::text),
                            Stream.of("reply " + (decision.reply() == null ? "later" : text(decision.reply()))))
                    .flatMap(lines -> lines)
                    .toList();
        }

        private Command command(String[] words) {
            return switch (words[0]) {
                case "begin" ->
                    new Command.Begin(
                            "c:1", words[1], SHOP, Long.parseLong(words[2]), words.length > 3 ? words[3] : null, 0);
                case "register" ->
                    new Command.RegisterBranch(
                            xid(words[1]),
                            BranchType.valueOf(words[3]),
                            words[4],
                            SHOP,
                            words.length > 5 && !words[5].equals("-") ? LockKeys.parse(words[5], 100) : null,
                            words.length > 6,
                            "data",
                            words[3].equals("SAGA") ? "shop#group" : null,
                            0,
                            0);
                case "register-called" ->
                    new Command.RegisterBranch(
                            xid(words[1]),
                            BranchType.valueOf(words[3]),
                            words[4],
                            SHOP,
                            null,
                            false,
                            "data",
                            null,
                            0,
                            0,
                            0,
                            BranchPolicy.read(Map.of("branch-policy", words[5])));
                case "wait" ->
                    new Command.RegisterBranch(
                            xid(words[1]),
                            BranchType.AT,
                            "db",
                            SHOP,
                            LockKeys.parse(words[3], 100),
                            true,
                            "data",
                            null,
                            60_000,
                            0);
                case "ask" -> new Command.QueryLocks(xid(words[1]), "db", LockKeys.parse(words[3], 100), 60_000);
                case "begin-as" ->
                    new Command.Begin("c:1", words[2], SHOP, Long.parseLong(words[3]), null, Long.parseLong(words[4]));
                case "register-as" ->
                    new Command.RegisterBranch(
                            xid(words[1]),
                            BranchType.AT,
                            "db",
                            SHOP,
                            LockKeys.parse(words[3], 100),
                            true,
                            "data",
                            null,
                            0,
                            Long.parseLong(words[4]));
                case "begin-key" ->
                    new Command.Begin("c:1", words[2], SHOP, Long.parseLong(words[3]), null, 0, 0, words[4]);
                case "commit-with" ->
                    new Command.Commit(xid(words[1]), OnSwallowed.ROLLBACK, new RequestKey.Answer(false, words[2]));
                case "rollback-with" ->
                    new Command.Rollback(xid(words[1]), words[2], RequestKey.Answer.failure(words[2]));
                case "report" ->
                    new Command.ReportBranch(xid(words[1]), id(words[2]), words[3].equals("failed"), "new");
                case "commit" ->
                    new Command.Commit(
                            xid(words[1]), words.length > 2 ? OnSwallowed.valueOf(words[2]) : OnSwallowed.ROLLBACK);
                case "rollback" -> new Command.Rollback(xid(words[1]), words.length > 2 ? words[2] : null);
                case "mark" -> new Command.Mark(xid(words[1]), words[2]);
                case "saga" ->
                    new Command.ReportSaga(xid(words[1]), Outcome.valueOf(words[2]), words[3].equals("over"));
                case "query" -> new Command.QueryTransaction(xid(words[1]));
                case "lockable" ->
                    new Command.QueryLocks(
                            words[1].equals("-") ? null : xid(words[1]), words[2], LockKeys.parse(words[3], 100));
                case "timeout" -> new Command.TimeOut(id(words[1]));
                case "available" -> new Command.ResourceAvailable(id(words[1]), words[2]);
                case "retry" -> new Command.RetryNow(xid(words[1]));
                case "give-up" -> new Command.GiveUp(xid(words[1]), id(words[2]), "mended by hand");
                case "force" -> new Command.Force(xid(words[1]), Outcome.valueOf(words[2]), "ticket 812");
                case "decide" ->
                    new Command.Decide(
                            xid(words[1]),
                            id(words[2]),
                            new UndoDecision(
                                    words[3],
                                    words.length > 5
                                            ? List.of(new UndoDecision.Row(
                                                    "t", words[5], UndoDecision.Action.KEEP, Map.of()))
                                            : List.of(),
                                    words[4].equals("-") ? null : UndoDecision.Action.valueOf(words[4])),
                            "admin: ticket 812");
                case "dirty" ->
                    new Command.BranchAnswered(
                            id(words[1]),
                            id(words[2]),
                            Outcome.valueOf(words[3]),
                            Integer.parseInt(words[4]),
                            now,
                            Answer.NEVER,
                            "rows",
                            0,
                            report(words[5], words[6]));
                case "answer" ->
                    new Command.BranchAnswered(
                            id(words[1]),
                            id(words[2]),
                            Outcome.valueOf(words[3]),
                            Integer.parseInt(words[4]),
                            words.length > 6 ? START + Long.parseLong(words[6]) : now,
                            Answer.valueOf(words[5]),
                            "detail",
                            0);
                default -> throw new IllegalArgumentException(words[0]);
            };
        }

        private static RowData report(String id, String... keys) {
            List<UndoReport.Row> rows = Stream.of(keys)
                    .map(key -> new UndoReport.Row(
                            "t", key, UndoReport.Cause.CHANGED, null, true, true, true, true, List.of(), 0))
                    .toList();
            return new UndoReport(id, rows, 0).encoded();
        }

        private void name(String name, long id) {
            names.put(Long.toString(id), name);
            ids.put(name, id);
        }

        private long id(String name) {
            return ids.getOrDefault(name, 999L);
        }

        private Xid xid(String name) {
            return Xid.of("c:1", id(name));
        }

        String named(String text) {
            String usual = text.replace(", requestId=0", "").replace(", policy=null", "");
            Matcher matcher = LONG_NUMBER.matcher(usual);
            return matcher.replaceAll(
                    number -> Matcher.quoteReplacement(names.getOrDefault(number.group(), number.group())));
        }

        private static String text(Effect effect) {
            return effect instanceof Effect.Settle settle ? "settle " + text(settle.reply()) : "effect " + effect;
        }

        private static String text(RequestKeys.Entry entry) {
            return "key " + entry.key().name() + '/' + entry.key().text() + " of " + entry.transaction() + ' '
                    + entry.outcome() + " decided " + time(entry.decidedAt()) + " answer " + entry.answer()
                    + (entry.isSettled() ? "" : ", open");
        }

        private static String text(Reply reply) {
            if (reply instanceof Reply.KeyTaken taken) {
                return "KeyTaken " + text(taken.first());
            }
            if (reply instanceof Reply.Decided decided) {
                return "Decided " + decided.transaction().state() + " pass " + decided.pass();
            } else if (reply instanceof Reply.Known known) {
                return "Known " + known.transaction().state();
            } else if (reply instanceof Reply.Marked marked) {
                return "Marked " + marked.transaction().state();
            } else if (reply instanceof Reply.Expired expired) {
                return "Expired " + expired.transaction().state();
            } else if (reply instanceof Reply.NotActive late) {
                return "NotActive " + late.transaction().state();
            } else if (reply instanceof Reply.LockConflict conflict) {
                return "LockConflict " + conflict.row() + " held by "
                        + conflict.holder().number() + " for " + conflict.branch()
                        + (conflict.why() == Reply.Why.HELD ? "" : " " + conflict.why())
                        + (conflict.cycle() == null ? "" : ": " + conflict.cycle());
            }
            return reply.toString();
        }

        private static String summary(GlobalTransaction transaction) {
            return transaction.state() + " outcome " + transaction.outcome()
                    + (transaction.timedOut() ? " timed out" : "")
                    + " decided " + time(transaction.decidedAt()) + " ended " + time(transaction.endedAt()) + " cause "
                    + transaction.cause();
        }

        private static String summary(Branch branch) {
            return "branch " + branch.id() + ' ' + branch.state() + " attempts " + branch.attempts() + " next "
                    + time(branch.nextAt()) + " cause " + branch.cause() + " data " + branch.applicationData()
                    + (branch.dirt() == null
                            ? ""
                            : " rows in the way " + (branch.dirt().report() == null ? "no" : "yes") + " decided by "
                                    + branch.dirt().decidedBy());
        }

        private static String time(long at) {
            return at == 0 ? "-" : "+" + (at - START);
        }
    }
}
