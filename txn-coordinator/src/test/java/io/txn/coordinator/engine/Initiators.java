package io.txn.coordinator.engine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Reply;
import io.txn.protocol.BranchType;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.RequestKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The initiators of a simulated world. Each begins a global transaction, has work done in a few resources one after the other, and decides: commit when
 * all of it worked, rollback otherwise. Some change their minds, some ask again, some never say what they want.
 */
final class Initiators {

    private static final ClientId CLIENT = new ClientId("shop", "10.0.0.2", 4712);
    private static final int MOST_QUESTIONS = 4;

    private final Simulation world;
    private final ResourceManagers resources;
    private final Dice dice;
    private final Trace trace;
    private final Roughness roughness;
    private long lastRequestId;
    private final ArrayDeque<Long> lent = new ArrayDeque<>();
    private final List<Purchase> purchases = new ArrayList<>();

    Initiators(Simulation world, ResourceManagers resources, Dice dice, Trace trace, Roughness roughness) {
        this.world = world;
        this.resources = resources;
        this.dice = dice;
        this.trace = trace;
        this.roughness = roughness;
    }

    /** One global transaction, as its initiator sees it. */
    private final class Purchase {
        private Xid xid;
        private final int timeout = dice.coin() ? dice.between(100, 1_000) : dice.between(1_000, 5_000);
        private final long requestId = dice.coin() ? ++lastRequestId : 0;
        private int stepsLeft = dice.below(5);
        private final String favourite = ResourceManagers.OF_BRANCHES[dice.below(roughness.resources())];
        private final boolean saga = dice.below(5) == 0;
        private final boolean silent = dice.below(6) == 0;
        private boolean failed = dice.below(8) == 0;

        /** By what its business calls it; some are called by the same. */
        private final String key = saga || dice.below(4) > 0 ? null : "k" + dice.below(3);

        /** Another one of its key is there, or was. */
        private boolean repeats;

        /** Whether it takes ids that were lent, and so begins with the first request that names it. */
        private final boolean late = !saga && key == null && dice.below(3) == 0;

        /** Comes along with each request until one was answered well. */
        private Command.Begin beginning;

        private boolean committing;
        private boolean working;
        private int asked;

        /** What is waited for; an answer to anything earlier is ignored. */
        private int question;

        private boolean waiting;

        void act() {
            if (waiting) {
                if (dice.mishap(working ? 12 : 40)) {
                    waiting = false;
                    question++;
                    failed = failed || working;
                    trace.note("initiator of ", xid, " waits no longer");
                }
            } else if (xid == null) {
                if (repeats && dice.below(4) > 0) {
                    return;
                } else if (!late) {
                    begin();
                } else if (lent.isEmpty()) {
                    borrow();
                } else {
                    xid = Xid.of("c:1", lent.remove());
                    beginning = new Command.Begin("c:1", "buy", CLIENT, timeout, null, 0, xid.number());
                    trace.note("begin ", xid, " with the first request");
                }
            } else if (stepsLeft > 0 && !failed) {
                stepsLeft--;
                work();
            } else if (!silent && asked < MOST_QUESTIONS) {
                asked++;
                decide();
            } else if (dice.below(4) == 0) {
                world.ask(new Command.QueryTransaction(xid), reply -> {});
            }
        }

        private int waits() {
            waiting = true;
            return ++question;
        }

        private boolean isAnswer(int to) {
            if (to != question || !waiting) {
                return false;
            }
            waiting = false;
            return true;
        }

        private void begin() {
            int to = waits();
            trace.note("begin");
            world.ask(
                    new Command.Begin(
                            "c:1", "buy", CLIENT, timeout, saga ? ResourceManagers.ENGINE : null, requestId, 0, key),
                    reply -> {
                        if (!isAnswer(to)) {
                            return;
                        } else if (reply instanceof Reply.Begun begun) {
                            xid = begun.xid();
                        } else if (reply instanceof Reply.KeyTaken) {
                            repeats = true;
                        }
                    });
        }

        private void borrow() {
            int to = waits();
            int count = dice.between(1, 5);
            trace.note("lend ", count, " ids");
            world.ask(new Command.LeaseIds("c:1", count), reply -> {
                if (isAnswer(to) && reply instanceof Reply.Leased leased) {
                    for (int i = 0; i < leased.count(); i++) {
                        lent.add(leased.first().number() + i);
                    }
                }
            });
        }

        private void work() {
            int to = waits();
            working = true;
            BranchType type = dice.oneOf(
                    BranchType.AT,
                    BranchType.AT,
                    BranchType.AT,
                    BranchType.AT,
                    BranchType.TCC,
                    BranchType.XA,
                    saga ? BranchType.SAGA : BranchType.SAGA_ANNOTATION);
            String resource = dice.coin() ? favourite : ResourceManagers.OF_BRANCHES[dice.below(roughness.resources())];
            LockKeys locks = type == BranchType.AT && dice.below(8) > 0 ? someRows() : null;
            if (locks != null && dice.below(6) == 0) {
                world.promises().asksForLocks(xid, resource, locks);
            }
            long branch = late && !lent.isEmpty() && dice.below(4) > 0 ? lent.remove() : 0;
            resources.work(new ResourceManagers.Order(xid, type, resource, locks, beginning, branch), result -> {
                if (isAnswer(to)) {
                    working = false;
                    beginning = result == ResourceManagers.Result.WORKED ? null : beginning;
                    boolean ignored = result == ResourceManagers.Result.FAILURE_NOTED && dice.below(4) > 0;
                    failed = failed || (result != ResourceManagers.Result.WORKED && !ignored);
                }
            });
        }

        private LockKeys someRows() {
            StringBuilder text = new StringBuilder("t:").append(dice.below(roughness.rows()));
            if (dice.coin()) {
                text.append(',').append(dice.below(roughness.rows()));
            }
            if (dice.below(3) == 0) {
                text.append(";u:").append(dice.below(roughness.rows()));
            }
            return LockKeys.parse(text.toString(), 100);
        }

        /** Commit only what worked; a rollback may come from somewhere else at any time. Now and then somebody else knows that something did not work. */
        private void decide() {
            if (dice.below(12) == 0) {
                world.ask(new Command.Mark(xid, "somebody failed"), reply -> {});
            }
            int to = waits();
            if (saga && dice.below(4) > 0) {
                world.ask(resources.report(xid), reply -> isAnswer(to));
                return;
            }
            // Whoever commits a saga speaks for its engine; these leave that to the engine.
            boolean commit = !saga && !failed && dice.below(12) > 0;
            committing |= commit;
            trace.note(commit ? "commit " : "rollback ", xid);
            Command decision;
            if (commit) {
                decision = new Command.Commit(
                        xid, OnSwallowed.ROLLBACK, key == null ? null : Promises.resultOf(xid.number()));
            } else {
                boolean answers = key != null && dice.coin();
                decision = new Command.Rollback(xid, null, answers ? RequestKey.Answer.failure("no") : null);
            }
            world.ask(beginning, decision, null, reply -> isAnswer(to));
        }

        @Override
        public String toString() {
            return "purchase " + xid + (committing ? " (commits)" : "");
        }
    }

    void act() {
        if (purchases.size() < roughness.transactions() && (purchases.isEmpty() || dice.below(3) == 0)) {
            purchases.add(new Purchase());
        }
        purchases.get(dice.below(purchases.size())).act();
    }
}
