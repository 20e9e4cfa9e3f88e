package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** {@code DELETE}. */
final class DeleteCapture implements WriteCapture {

    private final Plan.Selection selection;
    private final WriteRun run;
    private final List<Target> targets;
    private final Followers followers;

    DeleteCapture(Plan.Delete plan, WriteRun run) throws SQLException {
        this.selection = plan.selection();
        this.run = run;
        this.targets = childrenFirst(
                Target.of(plan.targets(), run).values().stream().distinct().toList());
        this.followers = new Followers(run);
        targets.forEach(target -> followers.deleting(target.table()));
    }

    /** In an order that the undo, which goes backwards, can go: a row of which another one is a child comes back before that one. */
    private static List<Target> childrenFirst(List<Target> given) {
        List<Target> left = new ArrayList<>(given);
        List<Target> ordered = new ArrayList<>();
        while (!left.isEmpty()) {
            Target next = left.stream()
                    .filter(t -> left.stream().noneMatch(other -> other != t && refers(other, t)))
                    .findFirst()
                    .orElse(left.get(0));
            left.remove(next);
            ordered.add(next);
        }
        return ordered;
    }

    private static boolean refers(Target child, Target parent) {
        return parent.table().referencedBy().stream()
                .anyMatch(key -> key.child().equals(child.table().sqlName()));
    }

    @Override
    public void check() throws SQLException {
        for (Target target : targets) {
            new Firing(run, target.table()).delete();
            TableImages.requireSupported(target.table(), target.table().columns());
        }
        followers.check();
        if (followers.any() && selection.ignores()) {
            throw Refusals.notSupported(
                    "rows that refer to a row which IGNORE passes over would stay, and cannot be told from others",
                    "write DELETE without IGNORE");
        }
        if (run.dialect().product().isMySqlFamily()
                && limited()
                && targets.stream().anyMatch(target -> takesItsOwn(target.table()))) {
            throw Refusals.notSupported(
                    "rows of the table itself go with others, which do not count towards LIMIT",
                    "select the keys first, and delete by them");
        }
        if (selection.returning() != null && !returns()) {
            throw Refusals.notSupported(
                    "this database does not return the rows that were deleted", "write DELETE without RETURNING");
        }
    }

    private boolean limited() {
        return !selection.several()
                && selection.tail().text().toUpperCase(Locale.ROOT).contains("LIMIT");
    }

    private static boolean takesItsOwn(Table table) {
        return table.referencedBy().stream()
                .anyMatch(key -> key.ofItself() && key.onDelete() == ForeignKey.Action.CASCADE);
    }

    /** Whether the database returns the rows that it deletes. */
    private boolean returns() {
        if (run.dialect().product() == Dialect.Product.POSTGRESQL) {
            return true;
        }
        return run.dialect().delete() == Capture.RETURNING && !selection.several();
    }

    @Override
    public KeyedBatch.@Nullable ByKey byKey() {
        List<Column> columns = targets.get(0).table().columns();
        boolean plain = !followers.any() && targets.get(0).table().unvalidated() == null;
        return plain ? KeyedBatch.ByKey.of(TableChange.Kind.DELETE, selection, targets, columns, null) : null;
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        UnvalidatedRows.refuse(run, selection, targets.get(0), parameters);
        if (!returns() || followers.any() && selection.returning() == null) {
            return readingFirst(parameters);
        }
        return followers.any()
                ? returningWhatWasRead(parameters)
                : returning(new Query().add(selection.body(), parameters), parameters, null);
    }

    private SelectedRows rows() {
        SelectedRows rows =
                new SelectedRows(selection, run, targets, t -> t.table().columns());
        // Which rows are there still, or stand in the way of others, when it comes to them; in what order it shows
        // them.
        if (selection.returning() != null
                || followers.comeBack()
                || run.dialect().product().isMySqlFamily()
                        && targets.get(0).table().referencedBy().stream().anyMatch(ForeignKey::ofItself)) {
            rows.keepOrder();
        }
        // Those that it cannot delete do not count.
        if (selection.ignores()
                && limited()
                && !targets.get(0).table().referencedBy().isEmpty()) {
            rows.keepOrder();
            rows.readBeyondLimit();
        }
        return rows;
    }

    private Outcome returningWhatWasRead(Parameters parameters) throws SQLException {
        SelectedRows rows = rows();
        rows.readAndLock(parameters, followers);
        // MariaDB returns nothing at all, not even no rows, where it sees that no condition can be true.
        Query query = rows.size() == 0
                ? new Query().add(selection.body(), parameters)
                : rows.restricted(new Query().add(selection.head(), parameters), "", parameters);
        return returning(query, parameters, rows);
    }

    /** Rows that were deleted before the statement came to them, with others of the table that they refer to: they are not returned. */
    private void addGoneBefore(SelectedRows rows, List<RowChange> changes) throws SQLException {
        Target target = targets.get(0);
        List<Column> columns = target.table().columns();
        Map<List<Value>, List<Value>> missing = new LinkedHashMap<>(target.before());
        changes.forEach(change -> missing.remove(target.images().keyOf(columns, change.existing())));
        if (!missing.isEmpty()) {
            Set<List<Value>> left = SelectedRows.known(rows.readAgain(), target).keySet();
            left.forEach(missing::remove);
            rows.requireGone(left);
            missing.values().forEach(row -> changes.add(new RowChange(row, null)));
        }
    }

    /** @param rows those that were read before; null where none were */
    private Outcome returning(Query query, Parameters parameters, @Nullable SelectedRows rows) throws SQLException {
        Target target = targets.get(0);
        List<Column> columns = target.table().columns();
        String row = selection.several() ? target.sources().get(0).row() + '.' : "";
        List<RowChange> changes = new ArrayList<>();
        KeyReader keys = selection.returning() == null ? KeyReader.ofChange(run, target.table()) : KeyReader.none(run);
        ReturningStatement.Result result = new ReturningStatement(run, selection.returning())
                .run(
                        query,
                        parameters,
                        "",
                        run.dialect().identity(row, target.table()) + TableImages.reads(columns, row) + keys.reads(row),
                        1 + columns.size() + keys.size(),
                        (deleted, first) -> {
                            target.images().checkIdentity(deleted.getString(first));
                            changes.add(new RowChange(TableImages.values(deleted, columns, first + 1), null));
                            keys.add(deleted, first + 1 + columns.size());
                        });
        int count = result.count();
        if (selection.ignores() && !changes.isEmpty()) {
            removeLeft(changes);
            count = selection.returning() == null ? changes.size() : count;
        }
        if (rows != null) {
            if (changes.size() > rows.size()) {
                run.incomplete("it deleted " + changes.size() + " rows where " + rows.size() + " were read before");
            }
            addGoneBefore(rows, changes);
        }
        return new Outcome(
                count,
                followers.with(target.images().change(TableChange.Kind.DELETE, columns, changes)),
                keys.keys(),
                run.incomplete(),
                result.rows(),
                result.warnings());
    }

    /** MariaDB returns a row before it finds that IGNORE has to leave it, which stays locked. */
    private void removeLeft(List<RowChange> changes) throws SQLException {
        Target target = targets.get(0);
        List<Column> columns = target.table().columns();
        for (RowChange change : changes) {
            List<Value> row = change.existing();
            target.before().put(target.images().keyOf(columns, row), row);
        }
        SelectedRows rows =
                new SelectedRows(selection, run, targets, t -> t.table().columns());
        Set<List<Value>> left = SelectedRows.known(rows.readAgain(), target).keySet();
        changes.removeIf(change -> left.contains(target.images().keyOf(columns, change.existing())));
    }

    private Outcome readingFirst(Parameters parameters) throws SQLException {
        SelectedRows rows = rows();
        rows.readAndLock(parameters, followers);
        Query delete = all()
                ? new Query().add(selection.statement(), parameters)
                : rows.restricted(new Query().add(selection.head(), parameters), "", parameters);
        SQLWarning[] warnings = new SQLWarning[1];
        int count = delete.update(run.connection(), run.scope(), done -> {
            run.changed();
            warnings[0] = done.getWarnings();
        });
        if (count > rows.size()) {
            run.incomplete("it deleted " + count + " rows where " + rows.size() + " were read before");
        }
        // A row that was passed over, or did not match any more, was deleted by nobody and still is locked.
        Map<Target, Map<List<Value>, List<Value>>> left = count == rows.size() ? Map.of() : rows.readAgain();
        List<TableChange> changes = new ArrayList<>();
        for (Target target : targets) {
            Map<List<Value>, List<Value>> leftHere = left.getOrDefault(target, Map.of());
            rows.requireGone(leftHere.keySet());
            List<RowChange> deleted = new ArrayList<>();
            target.before().forEach((key, row) -> {
                if (!leftHere.containsKey(key)) {
                    deleted.add(new RowChange(row, null));
                }
            });
            changes.addAll(target.images()
                    .change(TableChange.Kind.DELETE, target.table().columns(), deleted));
        }
        List<TableChange> all = followers.with(changes);
        return new Outcome(count, all, GeneratedKeys.NONE, run.incomplete()).withWarnings(warnings[0]);
    }

    /**
     * Whether all rows are deleted: that is done as the application said it. Those that were read are locked and among them, so an equal number
     * means the same rows; and H2 checks a foreign key to the table itself differently when keys are named.
     */
    private boolean all() {
        return !selection.several()
                && selection.where().isEmpty()
                && selection.tail().isEmpty();
    }
}
