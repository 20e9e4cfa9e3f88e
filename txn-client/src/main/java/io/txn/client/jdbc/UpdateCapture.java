package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code UPDATE} of one table. */
final class UpdateCapture implements WriteCapture {

    private final Plan.Update plan;
    private final WriteRun run;
    private final Table table;
    private final TableImages images;
    private Followers followers;

    UpdateCapture(Plan.Update plan, WriteRun run, Table table) {
        this.plan = plan;
        this.run = run;
        this.table = table;
        this.images = new TableImages(run, table);
        this.followers = Followers.ofUpdate(run, table, List.of());
    }

    @Override
    public void check() throws SQLException {
        for (Identifier written : plan.columns()) {
            Column column = TableImages.column(table, written);
            if (table.isKey(column)) {
                throw Refusals.refused(
                        ErrorCode.KEY_UPDATE_REFUSED, "table", table.lockName(), "column", column.name());
            }
        }
        followers = Followers.ofUpdate(run, table, setColumns());
        followers.check();
        TableImages.requireSupported(table, imageColumns());
    }

    /** What it sets and what the database maintains, next to the key. */
    private List<Column> imageColumns() throws SQLException {
        List<Column> set = setColumns();
        List<Column> referred = followers.neededColumns();
        return table.columns().stream()
                .filter(c -> table.isKey(c) || c.is(Column.Trait.MAINTAINED) || set.contains(c) || referred.contains(c))
                .toList();
    }

    private List<Column> setColumns() throws SQLException {
        List<Column> set = new ArrayList<>();
        for (Identifier written : plan.columns()) {
            set.add(TableImages.column(table, written));
        }
        return set;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        return update(plan, parameters);
    }

    private Outcome update(Plan.Update update, Parameters parameters) throws SQLException {
        List<Column> columns = imageColumns();
        return switch (run.dialect().update()) {
            case RETURNING_OLD_AND_NEW -> updateReturning(update, parameters, columns);
            case GENERATED_KEYS -> updateGettingNewRows(update, parameters, columns);
            case QUERIES, RETURNING -> {
                List<List<Value>> before =
                        images.readAndLock(update.source(), update.where(), update.tail(), parameters, columns);
                followers.read(columns, before);
                int count = images.restricted(update.head(), before, columns, update.tail(), parameters);
                yield updatedAndReadAgain(count, columns, before);
            }
        };
    }

    private Outcome updateReturning(Plan.Update update, Parameters parameters, List<Column> columns)
            throws SQLException {
        List<RowChange> changes = new ArrayList<>();
        Query query;
        if (followers.any()) {
            List<List<Value>> before =
                    images.readAndLock(update.source(), update.where(), update.tail(), parameters, columns);
            followers.read(columns, before);
            query = images.restrictedTo(before, columns, update.head(), update.tail(), parameters);
        } else {
            query = new Query().add(update.statement(), parameters);
        }
        query.add(" RETURNING WITH (OLD AS txn_old, NEW AS txn_new) "
                        + run.dialect().identity("txn_old.") + TableImages.reads(columns, "txn_old.")
                        + TableImages.reads(columns, "txn_new."))
                .read(run.connection(), run.scope(), run::changed, row -> {
                    images.checkIdentity(row.getString(1));
                    changes.add(new RowChange(
                            images.restorable(TableImages.values(row, columns, 2), columns),
                            TableImages.values(row, columns, 2 + columns.size())));
                });
        return new Outcome(
                changes.size(),
                followers.with(images.change(TableChange.Kind.UPDATE, columns, changes), columns, changes),
                GeneratedKeys.NONE,
                run.incomplete());
    }

    /** Reads the rows before, and gets them after from the driver. */
    private Outcome updateGettingNewRows(Plan.Update update, Parameters parameters, List<Column> columns)
            throws SQLException {
        List<List<Value>> before =
                images.readAndLock(update.source(), update.where(), update.tail(), parameters, columns);
        followers.read(columns, before);
        String[] names = columns.stream().map(Column::name).toArray(String[]::new);
        Map<List<Value>, List<Value>> after = new HashMap<>();
        int count = images.restrictedTo(before, columns, update.head(), update.tail(), parameters)
                .use(
                        run.connection(),
                        run.scope(),
                        sql -> run.connection().prepareStatement(sql, names),
                        (statement, text) -> {
                            int updated = statement instanceof PreparedStatement prepared
                                    ? prepared.executeUpdate()
                                    : statement.executeUpdate(text, names);
                            run.changed();
                            try (ResultSet rows = statement.getGeneratedKeys()) {
                                while (rows.next()) {
                                    List<Value> values = TableImages.values(rows, columns, 1);
                                    after.put(images.keyOf(columns, values), values);
                                }
                            }
                            return updated;
                        });
        return updated(count, columns, before, after);
    }

    /** The outcome of an UPDATE that has run, its rows read again by their keys, which it does not change. */
    private Outcome updatedAndReadAgain(int count, List<Column> columns, List<List<Value>> before) throws SQLException {
        Map<List<Value>, List<Value>> after = new HashMap<>();
        List<List<Value>> keys =
                before.stream().map(row -> images.keyOf(columns, row)).toList();
        for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
            new Query()
                    .add("SELECT " + run.dialect().identity("") + TableImages.reads(columns, "") + " FROM "
                            + table.sqlName() + " WHERE ")
                    .addKeys(table.key(), keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())))
                    .add(run.dialect().afterImageLocks() ? " FOR UPDATE" : "")
                    .read(run.connection(), run.scope(), row -> {
                        List<Value> values = TableImages.values(row, columns, 2);
                        after.put(images.keyOf(columns, values), values);
                    });
        }
        return updated(count, columns, before, after);
    }

    private Outcome updated(
            int count, List<Column> columns, List<List<Value>> before, Map<List<Value>, List<Value>> after)
            throws SQLException {
        if (count > before.size()) {
            run.incomplete("it changed " + count + " rows where " + before.size() + " were read before");
        }
        List<RowChange> changes = new ArrayList<>();
        for (List<Value> row : before) {
            List<Value> now = after.get(images.keyOf(columns, row));
            if (now == null) {
                run.incomplete("a changed row was not found again by its key");
            } else {
                changes.add(new RowChange(images.restorable(row, columns), now));
            }
        }
        return new Outcome(
                count,
                followers.with(images.change(TableChange.Kind.UPDATE, columns, changes), columns, changes),
                GeneratedKeys.NONE,
                run.incomplete());
    }
}
