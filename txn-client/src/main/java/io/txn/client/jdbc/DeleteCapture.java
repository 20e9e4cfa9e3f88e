package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code DELETE} from one table. */
final class DeleteCapture implements WriteCapture {

    private final Plan.Delete plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;

    DeleteCapture(Plan.Delete plan, WriteRun run, Table table) {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
    }

    @Override
    public void check() throws SQLException {
        for (ForeignKey reference : table.referencedBy()) {
            if (reference.followsDelete()) {
                throw Refusals.notSupported(
                        "rows of " + reference.child() + " would be deleted or changed with it by a foreign key",
                        "delete or change those rows first, with a key that does not act by itself");
            }
        }
        TableImages.requireSupported(table, table.columns());
    }

    @Override
    public KeyedBatch.@Nullable ByKey byKey() {
        boolean suits = plan.tail().isEmpty() && table.referencedBy().stream().noneMatch(ForeignKey::followsDelete);
        return suits
                ? new KeyedBatch.ByKey(TableChange.Kind.DELETE, table, table.columns(), plan.source(), plan.where())
                : null;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return delete(plan, parameters);
    }

    private Outcome delete(Plan.Delete delete, Parameters parameters) throws SQLException {
        List<Column> columns = table.columns();
        List<List<Value>> before;
        // H2's driver shows none of a DELETE, PostgreSQL's does.
        KeyReader keys = run.dialect().product() == Dialect.Product.POSTGRESQL
                ? KeyReader.ofChange(run, table)
                : KeyReader.none(run);
        long count;
        switch (run.dialect().delete()) {
            case RETURNING, RETURNING_OLD_AND_NEW -> {
                before = new ArrayList<>();
                Query query = new Query()
                        .add(delete.statement(), parameters)
                        .add(" RETURNING " + run.dialect().identity("") + TableImages.reads(columns, "")
                                + keys.reads(""));
                query.read(run.connection(), run.scope(), run::changed, row -> {
                    images.checkIdentity(row.getString(1));
                    before.add(TableImages.values(row, columns, 2));
                    keys.add(row, 2 + columns.size());
                });
                count = before.size();
            }
            case QUERIES, GENERATED_KEYS -> {
                before = images.readAndLock(delete.source(), delete.where(), delete.tail(), parameters, columns);
                count = delete.where().isEmpty() && delete.tail().isEmpty()
                        ? unrestricted(delete, parameters)
                        : images.restricted(delete.head(), before, columns, delete.tail(), parameters);
                if (count != before.size()) {
                    run.incomplete("it deleted " + count + " rows where " + before.size() + " were read before");
                }
            }
            default -> throw new AssertionError(run.dialect().delete());
        }
        List<RowChange> changes = before.stream()
                .map(row -> new RowChange(images.restorable(row, columns), null))
                .toList();
        return new Outcome(
                count, images.change(TableChange.Kind.DELETE, columns, changes), keys.keys(), run.incomplete());
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
