package io.txn.coordinator.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LockTableTest {

    private static LockKeys keys(String text) {
        return LockKeys.parse(text, 100);
    }

    @Test
    void aConflictNamesTheRowAndItsHolder() {
        LockTable table = new LockTable();
        table.grant(new Holder(1, 10), "db", keys("t:1,2"));
        assertThat(table.conflict(1, "db", keys("t:1"))).isNull();
        assertThat(table.conflict(2, "db", keys("t:3"))).isNull();
        assertThat(table.conflict(2, "other", keys("t:1"))).isNull();
        assertThat(table.conflict(2, "db", keys("u:1;t:3,2")))
                .isEqualTo(new LockConflict(new LockKeys.Row("t", "2"), new Holder(1, 10)));
        assertThatThrownBy(() -> table.grant(new Holder(2, 20), "db", keys("t:2")))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void theFirstBranchKeepsTheRow() {
        LockTable table = new LockTable();
        table.grant(new Holder(1, 10), "db", keys("t:1"));
        table.grant(new Holder(1, 11), "db", keys("t:1,2"));
        table.release(new Holder(1, 11), "db", keys("t:1,2"));
        assertThat(table.holder("db", new LockKeys.Row("t", "1"))).isEqualTo(new Holder(1, 10));
        assertThat(table.size()).isEqualTo(1);
        table.handOver(new Holder(1, 10), new Holder(1, 12), "db", keys("t:1"));
        table.release(new Holder(1, 10), "db", keys("t:1"));
        assertThat(table.size()).isEqualTo(1);
        table.release(new Holder(1, 12), "db", keys("t:1"));
        assertThat(table).isEqualTo(new LockTable());
    }

    @Test
    void underTheNameOfADatabaseRowsAreHeldButNotCountedAgain() {
        List<String> names = LockNames.of("jdbc:a", "{\"autoCommit\":false,\"rows\":\"1f\"}");
        List<String> others = LockNames.of("jdbc:b", "{\"rows\":\"1f\"}");
        assertThat(names.get(0)).isEqualTo("jdbc:a");
        assertThat(others.get(1)).isEqualTo(names.get(1));
        LockTable table = new LockTable();
        for (String name : names) {
            table.grant(new Holder(1, 10), name, keys("t:1,2"));
        }
        assertThat(table.size()).isEqualTo(2);
        assertThat(table.conflict(2, "jdbc:b", keys("t:2"))).isNull();
        assertThat(table.conflict(2, others.get(1), keys("t:2"))).isNotNull();
        // In a journal of a coordinator that did not know that name, both hold the row.
        for (String name : others) {
            table.grant(new Holder(2, 20), name, keys("t:2"));
        }
        assertThat(table.size()).isEqualTo(3);
        for (String name : names) {
            table.release(new Holder(1, 10), name, keys("t:1,2"));
        }
        for (String name : others) {
            table.release(new Holder(2, 20), name, keys("t:2"));
        }
        assertThat(table).isEqualTo(new LockTable());
        assertThat(table.size()).isZero();
    }

    @Test
    void whatNamesNoDatabaseIsKnownByItsResourceAlone() {
        for (String data : new String[] {
            null, "", "{}", "{\"rows\":\"\"}", "{\"rows\":\"1f", "{\"rows\":1}", "{\"rows\":\"" + "1".repeat(65) + "\"}"
        }) {
            assertThat(LockNames.of("jdbc:a", data)).as("%s", data).containsExactly("jdbc:a");
        }
    }

    @Test
    void isWhatANaiveTableIs() {
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 7));
        LockTable table = new LockTable();
        Map<String, Holder> naive = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            Holder holder = new Holder(random.nextInt(5), random.nextInt(10));
            String resource = "r" + random.nextInt(2);
            LockKeys wanted = keys("t:" + random.nextInt(20) + "," + random.nextInt(20) + ";u:" + random.nextInt(5));
            if (random.nextBoolean()) {
                boolean free = wanted.rows().stream()
                        .map(row -> naive.get(resource + row))
                        .allMatch(other -> other == null || other.transaction() == holder.transaction());
                assertThat(table.conflict(holder.transaction(), resource, wanted) == null)
                        .isEqualTo(free);
                if (free) {
                    table.grant(holder, resource, wanted);
                    wanted.rows().forEach(row -> naive.putIfAbsent(resource + row, holder));
                }
            } else {
                table.release(holder, resource, wanted);
                wanted.rows().forEach(row -> naive.remove(resource + row, holder));
            }
            assertThat(table.size()).isEqualTo(naive.size());
        }
    }
}
