package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** {@code INSERT … ON DUPLICATE KEY UPDATE} on MariaDB, which tells by {@link RememberingInsert} what each row was. No round trip is added. */
final class DuplicateKeyCapture extends TableCapture {

    private final Plan.RichInsert plan;

    DuplicateKeyCapture(Plan.RichInsert plan, WriteRun run, Table table) {
        super(run, table);
        this.plan = plan;
    }

    @Override
    public void check() throws SQLException {
        super.check();
        if (plan.ignores()) {
            throw Refusals.notSupported(
                    "the server does not tell whose change it ignored, nor counts it in a way that could be known",
                    "write IGNORE or ON DUPLICATE KEY UPDATE");
        }
    }

    private boolean changesKey() throws SQLException {
        for (Identifier written : plan.assigned()) {
            if (table.isKey(TableImages.column(table, written))) {
                return true;
            }
        }
        return false;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        Query insert = new Query().add(plan.head(), parameters).add(" ").add(plan.target(), parameters);
        return run(insert, parameters, count -> {});
    }

    @Override
    public @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        Plan.SingleRow single = plan.single();
        if (single == null) {
            return null;
        }
        EachCount each = new EachCount(counts);
        Outcome outcome = run(EachCount.rows(single, executions), executions.get(0), each::add);
        each.requireAll();
        return outcome;
    }

    private Outcome run(Query insert, Parameters parameters, LongConsumer counted) throws SQLException {
        boolean keysMayDiffer = changesKey();
        KeyReader keys = new KeyReader(run, table);
        RowChanges changes = new RowChanges(images);
        List<@Nullable Object[]> made = new ArrayList<>();
        List<@Nullable Object[]> touched = new ArrayList<>();
        // The usual way to learn the key of the row that was there, changed or not: id = LAST_INSERT_ID(id).
        boolean tellsKey = plan.action().text().toUpperCase(Locale.ROOT).contains("LAST_INSERT_ID");
        long[] count = new long[1];
        ReturningStatement.Result result = new RememberingInsert(run, table, keys)
                .run(
                        insert,
                        query -> query.add(plan.action(), parameters),
                        plan.returning(),
                        parameters,
                        (before, after, shown) -> {
                            if (before != null && !keysMayDiffer && !images.sameKey(before, after)) {
                                run.incomplete("a row as it was before belongs to another row than the one after");
                            }
                            changes.add(before, after);
                            if (before == null) {
                                made.add(shown);
                            } else if (tellsKey || !before.equals(after)) {
                                touched.add(shown);
                            }
                            long one = count(before, after);
                            count[0] += one;
                            counted.accept(one);
                        });
        return new Outcome(
                count[0],
                changes.changes(),
                plan.returning() == null ? keys.keys(shown(made, touched)) : GeneratedKeys.NONE,
                run.incomplete(),
                result.rows(),
                result.warnings());
    }

    private long count(@Nullable List<Value> before, List<Value> after) {
        if (before == null) {
            return 1;
        }
        return !before.equals(after) ? 2 : run.dialect().countsOnlyChanged() ? 0 : 1;
    }

    /** MySQL tells the keys that were made; when there are none, that of the last row that was changed. */
    private static List<@Nullable Object[]> shown(List<@Nullable Object[]> made, List<@Nullable Object[]> touched) {
        if (!made.isEmpty() || touched.isEmpty()) {
            return made;
        }
        return touched.subList(touched.size() - 1, touched.size());
    }
}
