package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A change of one row that the driver makes in its own way, whatever comes with it: the row is read and locked by the key that it has, with the rows that follow
 * it by a foreign key; after the change it is read by the key that it was given. For one run.
 */
final class RowCapture {

    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final @Nullable List<Column> set;

    /** @param set the columns that may change; null when the row is deleted */
    RowCapture(WriteRun run, Table table, @Nullable List<Column> set) {
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.set = set;
    }

    /**
     * Makes the change.
     *
     * @param now the key that the row will have, a parameter a column
     */
    Outcome run(DriverBatch row, Parameters now) throws SQLException {
        TableImages.requireSupported(table, table.columns());
        UnvalidatedRows.refuseAny(table);
        Followers followers = set == null ? new Followers(run).deleting(table) : new Followers(run).setting(table, set);
        followers.check();
        List<List<Value>> before = read(row.elements().get(0), true);
        String incomplete = run.incomplete();
        if (incomplete != null || before.size() != 1) {
            throw Refusals.notSupported(
                    incomplete != null
                            ? incomplete
                            : "the row is not there any more, or cannot be found by the key that the driver shows",
                    "read it again, or send UPDATE or DELETE");
        }
        followers.read(Map.of(table.sqlName(), new Followers.Own(table.columns(), before)));
        run.changed();
        row.run();
        if (row.failure() != null) {
            return new Outcome(-1, List.of(), GeneratedKeys.NONE, null);
        }
        List<List<Value>> after = read(now, run.dialect().afterImageLocks());
        boolean found = after.size() == (set == null ? 0 : 1);
        if (!found) {
            run.incomplete("the driver changed another row than the one that was read before, or to another key");
        }
        List<TableChange> changes = found
                ? images.change(
                        set == null ? TableChange.Kind.DELETE : TableChange.Kind.UPDATE,
                        table.columns(),
                        List.of(new RowChange(before.get(0), set == null ? null : after.get(0))))
                : List.of();
        return new Outcome(-1, followers.with(changes), GeneratedKeys.NONE, run.incomplete());
    }

    private List<List<Value>> read(Parameters key, boolean lock) throws SQLException {
        String condition = table.key().stream().map(c -> c.sqlName() + " = ?").collect(Collectors.joining(" AND "));
        List<List<Value>> rows = new ArrayList<>();
        Query query = new Query()
                .add("SELECT " + run.dialect().identity("", table) + TableImages.reads(table.columns(), "") + " FROM "
                        + table.sqlName() + " WHERE ")
                .add(new Fragment(condition, 0, table.key().size()), key)
                .add(lock ? run.dialect().allForUpdate() : "");
        images.readImage(query, () -> {}, table.columns(), rows);
        return rows;
    }
}
