package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.ContextCarrier;
import io.txn.protocol.Xid;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The random tables and statements of {@link PropertyContract} on two or all three kinds of databases under one global transaction, their local
 * transactions in any order. Rolled back: all rows everywhere are what they were. Committed: what plain JDBC makes of them.
 */
class SeveralDatabasesIT {

    private static final long SEED = Long.getLong("txn.test.seed", System.nanoTime() & 0xffff_ffffL);

    private static final int RUNS =
            Boolean.getBoolean("txn.test.full") ? 300 : Boolean.getBoolean("txn.test.wide") ? 8 : 3;

    private final ContextCarrier contexts = new ContextCarrier();
    private final InMemoryResourceManager manager = new InMemoryResourceManager();
    private final List<PropertyContract> databases =
            List.of(new PropertyPostgresIT(), new PropertyMariaDbIT(), new PropertyH2Test());

    @Test
    void rollbackRestoresAllOfThemAndCommitEqualsPlainJdbc() {
        System.out.println("seed " + SEED + " (-Dtxn.test.seed)");
        for (PropertyContract database : databases) {
            database.contexts = contexts;
            database.manager = manager;
            database.createDatabase();
        }
        for (int run = 0; run < RUNS; run++) {
            long seed = SEED + run;
            try {
                check(seed, run);
            } catch (Throwable e) {
                throw new AssertionError("replay with -Dtxn.test.seed=" + seed + " -Dtest=SeveralDatabasesIT", e);
            }
        }
    }

    /** One database in the test. */
    private static final class Side {

        private final PropertyContract.Run run;
        private final List<List<String>> work;
        private final List<String> before;
        private final List<Integer> counts = new ArrayList<>();
        private int done;

        Side(PropertyContract.Run run) throws SQLException {
            this.run = run;
            run.fill();
            this.work = run.work();
            this.before = run.rowsNow();
        }

        void next(Xid xid) {
            counts.addAll(run.globally(xid, List.of(work.get(done))));
            done++;
        }

        boolean isDone() {
            return done == work.size();
        }
    }

    private void check(long seed, int number) throws SQLException {
        Random random = new Random(seed);
        List<PropertyContract> chosen = new ArrayList<>(databases);
        Collections.shuffle(chosen, random);
        List<Side> sides = new ArrayList<>();
        for (PropertyContract database : chosen.subList(0, 2 + random.nextInt(2))) {
            sides.add(new Side(database.new Run(random.nextLong(), number)));
        }

        Xid back = manager.begin();
        inAnyOrder(sides, back, random);
        assertThat(manager.rollback(back).cause()).isNull();
        for (Side side : sides) {
            assertThat(side.run.rowsNow()).as("rolled back: %s", side.work).isEqualTo(side.before);
            side.counts.clear();
            side.done = 0;
        }
        requireNothingLeft();

        Xid forth = manager.begin();
        inAnyOrder(sides, forth, random);
        assertThat(manager.commit(forth).done()).isTrue();
        for (Side side : sides) {
            assertThat(side.counts).as("update counts of %s", side.work).isEqualTo(side.run.plainly(side.work));
            assertThat(side.run.rowsNow()).as("committed: %s", side.work).isEqualTo(side.run.rowsOfTwin());
            side.run.drop();
        }
        requireNothingLeft();
    }

    private static void inAnyOrder(List<Side> sides, Xid xid, Random random) {
        List<Side> left = new ArrayList<>(sides);
        while (!left.isEmpty()) {
            Side side = left.get(random.nextInt(left.size()));
            side.next(xid);
            left.removeIf(Side::isDone);
        }
    }

    private void requireNothingLeft() {
        for (PropertyContract database : databases) {
            assertThat(database.undoRows()).isZero();
        }
        assertThat(manager.locks()).isEmpty();
        assertThat(manager.inPhaseOne()).isEmpty();
    }
}
