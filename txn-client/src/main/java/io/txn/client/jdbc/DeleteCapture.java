package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** {@code DELETE} from one table. */
final class DeleteCapture implements WriteCapture {

    private final Plan.Delete plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private final Followers followers;

    DeleteCapture(Plan.Delete plan, WriteRun run, Table table) {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.followers = Followers.ofDelete(run, table);
    }

    @Override
    public void check() throws SQLException {
        followers.check();
        TableImages.requireSupported(table, table.columns());
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return delete(plan, parameters);
    }

    private Outcome delete(Plan.Delete delete, Parameters parameters) throws SQLException {
        List<Column> columns = table.columns();
        List<List<Value>> before;
        long count;
        switch (followers.any() ? Capture.QUERIES : run.dialect().delete()) {
            case RETURNING, RETURNING_OLD_AND_NEW -> {
                before = new ArrayList<>();
                Query query = new Query()
                        .add(delete.statement(), parameters)
                        .add(" RETURNING " + run.dialect().identity("") + TableImages.reads(columns, ""));
                images.readImage(query, run::changed, columns, before);
                count = before.size();
            }
            case QUERIES, GENERATED_KEYS -> {
                before = images.readAndLock(delete.source(), delete.where(), delete.tail(), parameters, columns);
                followers.read(columns, before);
                count = delete.where().isEmpty() && delete.tail().isEmpty()
                        ? unrestricted(delete, parameters)
                        : images.restricted(delete.head(), before, columns, delete.tail(), parameters);
                if (count > before.size() || count < before.size() && !gone(before)) {
                    run.incomplete("it deleted " + count + " rows where " + before.size() + " were read before");
                }
            }
            default -> throw new AssertionError(run.dialect().delete());
        }
        List<RowChange> changes = before.stream()
                .map(row -> new RowChange(images.restorable(row, columns), null))
                .toList();
        return new Outcome(
                count,
                followers.with(images.change(TableChange.Kind.DELETE, columns, changes)),
                GeneratedKeys.NONE,
                run.incomplete());
    }

    /** Whether rows that were not counted are gone all the same, because a foreign key of the table to itself deleted them first. */
    private boolean gone(List<List<Value>> rows) throws SQLException {
        if (!followers.deletesOfTarget()) {
            return false;
        }
        List<List<Value>> keys =
                rows.stream().map(row -> images.keyOf(table.columns(), row)).toList();
        List<List<Value>> left = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            Query query = new Query()
                    .add("SELECT " + run.dialect().identity("") + TableImages.reads(table.key(), "") + " FROM "
                            + table.sqlName() + " WHERE ")
                    .addKeys(table.key(), keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                    .add(run.dialect().afterImageLocks() ? " FOR UPDATE" : "");
            images.readImage(query, () -> {}, table.key(), left);
        }
        return left.isEmpty();
    }

    /**
     * Deletes all rows as the application said it. Those that were read are locked and among them, so an equal number means the same rows; and H2
     * checks a foreign key to the table itself differently when keys are named.
     */
    private int unrestricted(Plan.Delete delete, Parameters parameters) throws SQLException {
        int count = new Query().add(delete.statement(), parameters).update(run.connection(), run.scope());
        run.changed();
        return count;
    }
}
