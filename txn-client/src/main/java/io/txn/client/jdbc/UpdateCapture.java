package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.NewValue;
import io.txn.client.jdbc.sql.Plan;
import io.txn.client.jdbc.undo.RowChange;
import io.txn.client.jdbc.undo.TableChange;
import io.txn.protocol.ErrorCode;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * {@code UPDATE}. A row whose key changes is one row that changed: locked by both keys, known by its new one. Where the database does not tell old
 * and new rows side by side, the statement notes on the way which old key became which new one.
 */
final class UpdateCapture implements WriteCapture {

    private static final String NAME = "@\\s*([\\w$.]+|`[^`]*`|'[^']*'|\"[^\"]*\")";
    private static final Pattern VARIABLE = Pattern.compile(NAME);
    /** H2's function does it, too. */
    private static final Pattern SETS_VARIABLE = Pattern.compile(NAME + "\\s*:=|(?i:\\bSET\\s*\\(\\s*)" + NAME);

    private final Plan.Update plan;
    private final Plan.Selection selection;
    private final WriteRun run;
    private final List<Target> targets;
    private final Followers followers;

    UpdateCapture(Plan.Update plan, WriteRun run) throws SQLException {
        this.plan = plan;
        this.selection = plan.selection();
        this.run = run;
        Map<Plan.Source, List<Column>> assigned = new LinkedHashMap<>();
        for (Plan.Assigned one : plan.assigned()) {
            Plan.Source source = source(one);
            Column column = TableImages.column(run.table(source.table()), one.column());
            assigned.computeIfAbsent(source, s -> new ArrayList<>()).add(column);
        }
        Map<Plan.Source, Target> bySource = Target.of(assigned.keySet(), run);
        bySource.forEach((source, target) -> target.assigned().addAll(SelectedRows.known(assigned, source)));
        this.targets = bySource.values().stream().distinct().toList();
        this.followers = new Followers(run);
        targets.forEach(target -> followers.setting(target.table(), target.assigned()));
    }

    /** The table that an assignment means: the one it names, or the only one with such a column. */
    private Plan.Source source(Plan.Assigned assigned) throws SQLException {
        if (assigned.row() != null) {
            Plan.Source named = Plan.Source.find(selection.sources(), assigned.row());
            if (named == null) {
                throw Refusals.notSupported(
                        "it assigns to a column of " + assigned.row().text()
                                + ", which is not to be told among its tables",
                        "give each table an alias, and name the alias");
            }
            return named;
        }
        if (selection.sources().size() == 1) {
            return selection.sources().get(0);
        }
        List<Plan.Source> having = new ArrayList<>();
        for (Plan.Source source : selection.sources()) {
            if (run.table(source.table()).column(assigned.column()) != null) {
                having.add(source);
            }
        }
        if (having.size() != 1) {
            throw Refusals.notSupported(
                    "it does not say of which table column " + assigned.column().text() + " is",
                    "write alias." + assigned.column().text() + " = …");
        }
        return having.get(0);
    }

    @Override
    public void check() throws SQLException {
        for (Target target : targets) {
            new Firing(run, target.table()).update(target.assigned());
            TableImages.requireSupported(target.table(), target.changing());
            if (target.changesKey()) {
                requirePairs(target.table());
            }
        }
        followers.check();
    }

    /** Old and new keys have to become known side by side. */
    private void requirePairs(Table table) throws SQLException {
        if (run.dialect().update() == Capture.RETURNING_OLD_AND_NEW) {
            return;
        }
        if (run.dialect().product().isMySqlFamily() && (selection.several() || selection.ignores())) {
            throw Refusals.refused(
                    ErrorCode.KEY_UPDATE_REFUSED,
                    "table",
                    table.lockName(),
                    "reason",
                    "the database does not tell which row of a join, or of UPDATE IGNORE, got which key");
        }
        if (run.dialect().product() == Dialect.Product.H2
                && table.key().stream().anyMatch(c -> !c.codec().printable())) {
            throw Refusals.refused(
                    ErrorCode.KEY_UPDATE_REFUSED,
                    "table",
                    table.lockName(),
                    "reason",
                    "H2 does not print arrays and rows so that it reads them back");
        }
    }

    @Override
    public KeyedBatch.@Nullable ByKey byKey() throws SQLException {
        Target target = targets.get(0);
        boolean stays =
                !target.changesKey() && !followers.any() && target.table().unvalidated() == null;
        return stays
                ? KeyedBatch.ByKey.of(
                        TableChange.Kind.UPDATE,
                        selection,
                        targets,
                        target.changing(),
                        ForeseenBatch.of(run, plan, target))
                : null;
    }

    /** What getGeneratedKeys shows of an UPDATE, unless the statement shows its rows itself. */
    private KeyReader keys(Target target) throws SQLException {
        return selection.returning() == null ? KeyReader.ofChange(run, target.table()) : KeyReader.none(run);
    }

    @Override
    public Outcome run(Parameters parameters) throws SQLException {
        UnvalidatedRows.refuse(run, selection, targets.get(0), parameters);
        if (run.dialect().update() == Capture.RETURNING_OLD_AND_NEW) {
            return returningOldAndNew(parameters);
        }
        Outcome noted = notingRow(parameters);
        if (noted != null) {
            return noted;
        }
        refuseVariables();
        SelectedRows rows = rows();
        boolean foresees = run.dialect().product().isMySqlFamily() && targets.size() == 1 && !followers.any();
        ForeseenRows foreseen = foresees ? ForeseenRows.of(plan, targets.get(0), parameters) : null;
        rows.foreseeing(foreseen);
        rows.readAndLock(parameters, followers);
        if (run.dialect().update() == Capture.GENERATED_KEYS) {
            return gettingNewRows(rows, parameters);
        }
        if (run.dialect().product() == Dialect.Product.POSTGRESQL) {
            return returningNew(rows, parameters);
        }
        return readingAgain(rows, foreseen == null ? null : foreseen.rows(), parameters);
    }

    /** Refuses what sets a variable by each row that decides about the next one, or is its value: the rows are read before. */
    private void refuseVariables() throws SQLException {
        String chosenBy = selection.where().text() + ' ' + selection.tail().text();
        String set = plan.assignments().text();
        boolean mixed = !Collections.disjoint(variables(SETS_VARIABLE, set), variables(VARIABLE, chosenBy))
                || !Collections.disjoint(variables(SETS_VARIABLE, chosenBy), variables(VARIABLE, set));
        if (mixed && run.dialect().product() != Dialect.Product.POSTGRESQL) {
            throw Refusals.notSupported(
                    "a variable that it sets with one row is used to choose the next, or the other way round, and its rows are read before",
                    "select the keys first, and update by them");
        }
    }

    private static Set<String> variables(Pattern pattern, String text) {
        return text.indexOf('@') < 0
                ? Set.of()
                : pattern.matcher(text)
                        .results()
                        .map(found -> found.group()
                                .replaceAll("(?is)^SET\\s*\\(|[\\s@`'\":=]", "")
                                .toLowerCase(Locale.ROOT))
                        .collect(Collectors.toSet());
    }

    private SelectedRows rows() throws SQLException {
        SelectedRows rows = new SelectedRows(selection, run, targets, Target::changing);
        if (!selection.several() && orderMatters(targets.get(0))) {
            rows.keepOrder();
        }
        return rows;
    }

    /** Whether what becomes of a row, or of the statement, may depend on which rows it has come to before; in doubt yes. */
    private boolean orderMatters(Target target) throws SQLException {
        Table table = target.table();
        boolean computed = target.assigned().stream().anyMatch(c -> c.is(Column.Trait.COMPUTED_DEFAULT));
        return selection.returning() != null
                || table.triggerOn(Trigger.Event.UPDATE, null) != null
                || !SelectedRows.isSteady(plan.assignments().text(), run)
                || computed
                        && plan.assignments().text().toUpperCase(Locale.ROOT).contains("DEFAULT")
                || run.dialect().product() != Dialect.Product.H2 && meetsOthers(target);
    }

    /** Whether a row may stand in the way of another one for as long as it is not come to. H2 looks only when all is set. */
    private boolean meetsOthers(Target target) throws SQLException {
        Table table = target.table();
        if (table.referencedBy().stream()
                .anyMatch(key -> key.ofItself()
                        && Stream.concat(key.parentColumns().stream(), key.childColumns().stream())
                                .map(table::named)
                                .anyMatch(column ->
                                        column == null || target.assigned().contains(column)))) {
            return true;
        }
        // What is the same for all of them they cannot have by turns: it fails in any order.
        boolean constant = !selection.ignores() && plan.values().stream().allMatch(UpdateCapture::isConstant);
        boolean same = constant && !plan.values().isEmpty();
        return table.otherUniqueKeys()
                || !same && table.uniqueKeys().stream().flatMap(List::stream).anyMatch(target.assigned()::contains);
    }

    private static boolean isConstant(NewValue value) {
        return switch (value.form()) {
            case STRING -> true;
            case ARITHMETIC -> value.columns().isEmpty();
            case OTHER -> value.text().text().strip().equalsIgnoreCase("NULL");
        };
    }

    /** MariaDB notes on the way what the row named by its key was and is; null, and nothing was done, where that is no way. */
    private @Nullable Outcome notingRow(Parameters parameters) throws SQLException {
        NotedRows notes = run.notedRows();
        if (notes == null || targets.size() != 1 || selection.several() || selection.ignores() || followers.any()) {
            return null;
        }
        if (notes.full()) {
            notes.read(run.connection(), run.dialect());
        }
        Target target = targets.get(0);
        NotedRows.Noting noting = notes.noting(plan, target, run, parameters);
        if (noting == null) {
            return null;
        }
        int count;
        try {
            count = updateNoting(noting, parameters);
        } catch (SQLException e) {
            if (e.getErrorCode() == RowNotes.SET_TWICE || e.getErrorCode() == RowNotes.TOO_LONG) {
                return null; // sql_mode SIMULTANEOUS_ASSIGNMENT, a tiny max_allowed_packet: nothing was changed
            }
            throw e;
        }
        run.changed();
        // None was there: nothing is owed, not even a branch.
        if (count > 0 || run.dialect().countsOnlyChanged()) {
            run.owes(new NotedRows.Owing(noting.number(), target, run, count, noting.length()));
        }
        return new Outcome(count, List.of(), GeneratedKeys.NONE, run.incomplete());
    }

    private int updateNoting(NotedRows.Noting noting, Parameters parameters) throws SQLException {
        boolean together = run.begins();
        if (together) {
            Query first = noting(new Query().add(ConnectionHandler.BEGIN), noting, parameters)
                    .add(ConnectionHandler.END);
            try {
                return run.session().begin(connection -> first.update(connection, run.scope()));
            } catch (SQLException e) {
                if (!LocalCommit.isNotUnderstood(e)) {
                    throw e;
                }
                // Nothing was done. If it is the application's own mistake, it is found again.
            }
        }
        int count = noting(new Query(), noting, parameters).update(run.connection(), run.scope());
        if (together) {
            run.session().resource().beginSeparately(); // or each transaction would try it anew
        }
        return count;
    }

    private Query noting(Query query, NotedRows.Noting noting, Parameters parameters) {
        return query.add(plan.verb(), parameters)
                .add(' ' + noting.before() + ", ", noting.parameters())
                .add(plan.assignments(), parameters)
                .add(", " + noting.after() + (selection.where().isEmpty() ? "" : " WHERE "))
                .add(selection.where(), parameters)
                .add(selection.tail().isEmpty() ? "" : " ")
                .add(selection.tail(), parameters);
    }

    private Outcome returningOldAndNew(Parameters parameters) throws SQLException {
        Target target = targets.get(0);
        List<Column> columns = target.changing();
        Query query = new Query();
        if (followers.any()) {
            SelectedRows rows = rows();
            rows.readAndLock(parameters, followers);
            query = rows.restricted(query.add(selection.head(), parameters), "", parameters);
        } else {
            query.add(selection.body(), parameters);
        }
        OldAndNew names = OldAndNew.of(selection.returning());
        List<RowChange> changes = new ArrayList<>();
        KeyReader keys = keys(target);
        String reads = run.dialect().identity(names.old(), target.table())
                + TableImages.reads(columns, names.old())
                + TableImages.reads(columns, names.now())
                + keys.reads(names.now());
        ReturningStatement.Result result = new ReturningStatement(run, selection.returning())
                .run(query, parameters, names.with(), reads, 1 + 2 * columns.size() + keys.size(), (row, first) -> {
                    target.images().checkIdentity(row.getString(first));
                    changes.add(new RowChange(
                            TableImages.values(row, columns, first + 1),
                            TableImages.values(row, columns, first + 1 + columns.size())));
                    keys.add(row, first + 1 + 2 * columns.size());
                });
        return new Outcome(
                result.count(),
                followers.with(target.images().change(TableChange.Kind.UPDATE, columns, changes)),
                keys.keys(),
                run.incomplete(),
                result.rows(),
                result.warnings());
    }

    /** H2's driver brings the rows as they are after, in the order in which the statement came to them. */
    private Outcome gettingNewRows(SelectedRows rows, Parameters parameters) throws SQLException {
        if (!followers.any()) {
            return gettingNewRowsOnly(rows, parameters);
        }
        if (rows.size() > 1) {
            rows.leaveAsItIs();
        }
        Savepoint before = run.connection().setSavepoint();
        Outcome outcome;
        try {
            outcome = gettingNewRowsOnly(rows, parameters);
        } catch (SQLException e) {
            // The statement may have run, and something behind it failed: then it has failed altogether.
            run.takeBack(before, e);
            throw e;
        }
        if (outcome.incomplete() != null) {
            run.connection().rollback(before);
            run.forget(before);
            run.unchanged();
            throw Refusals.notSupported(
                    "other rows follow by a foreign key what it changes, and " + outcome.incomplete(),
                    "send several UPDATEs, which give no row what another one had before");
        }
        run.connection().releaseSavepoint(before);
        return outcome;
    }

    private Outcome gettingNewRowsOnly(SelectedRows rows, Parameters parameters) throws SQLException {
        Target target = targets.get(0);
        Table table = target.table();
        List<Column> columns = target.changing();
        H2Memory memory = target.changesKey() ? new H2Memory(run, table.key()) : null;
        String noting = memory == null
                ? ""
                : " AND " + memory.noting(selection.sources().get(0).row());
        KeyReader shown = keys(target);
        String[] names = Stream.concat(columns.stream(), shown.columns().stream())
                .map(Column::name)
                .toArray(String[]::new);
        Map<List<Value>, List<Value>> after = new LinkedHashMap<>();
        int count = rows.restricted(new Query().add(selection.head(), parameters), noting, parameters)
                .use(
                        run.connection(),
                        run.scope(),
                        sql -> run.connection().prepareStatement(sql, names),
                        (statement, text) -> {
                            int updated = statement instanceof PreparedStatement prepared
                                    ? prepared.executeUpdate()
                                    : statement.executeUpdate(text, names);
                            run.changed();
                            try (ResultSet changed = statement.getGeneratedKeys()) {
                                while (changed.next()) {
                                    List<Value> values = TableImages.values(changed, columns, 1);
                                    after.put(target.images().keyOf(columns, values), values);
                                    shown.add(changed, 1 + columns.size());
                                }
                            }
                            return updated;
                        });
        Map<List<Value>, List<Value>> moved = new LinkedHashMap<>();
        if (memory == null) {
            after.keySet().forEach(key -> moved.put(key, key));
        } else {
            // A condition may be looked at twice, and for rows that another one then leaves out; a key stands for one
            // row.
            Set<List<Value>> old = new LinkedHashSet<>(memory.recall());
            old.retainAll(target.before().keySet());
            Iterator<List<Value>> now = after.keySet().iterator();
            if (old.size() == after.size()) {
                for (List<Value> key : old) {
                    moved.put(key, now.next());
                }
            }
        }
        List<TableChange> changes = followers.rowByRow().with(changes(target, count, moved, after));
        return new Outcome(count, changes, shown.keys(), run.incomplete());
    }

    /** PostgreSQL before 18 returns new rows only; the old keys are joined to them. */
    private Outcome returningNew(SelectedRows rows, Parameters parameters) throws SQLException {
        Target target = targets.get(0);
        List<Column> key = target.table().key();
        List<Column> columns = target.changing();
        boolean pairs = target.changesKey() && rows.size() > 0;
        String row = selection.sources().get(0).row() + '.';
        Query head = new Query().add(selection.head(), parameters);
        StringBuilder reads =
                new StringBuilder(run.dialect().identity(row, target.table()) + TableImages.reads(columns, row));
        StringBuilder pairing = new StringBuilder();
        Set<String> joined = new HashSet<>();
        if (pairs) {
            head.add(plan.rest().isEmpty() ? " FROM " : ", ").addValues(key, target.keys(), "txn_old", "txn_k");
            for (int i = 0; i < key.size(); i++) {
                pairing.append(" AND " + row + key.get(i).sqlName() + " = txn_old.txn_k" + i);
                reads.append(", " + key.get(i).codec().readFrom("txn_old.txn_k" + i));
                joined.add("txn_k" + i);
            }
        }
        KeyReader keys = keys(target);
        reads.append(keys.reads(row));
        Map<List<Value>, List<Value>> moved = pairs ? new LinkedHashMap<>() : null;
        Map<List<Value>, List<Value>> after = new HashMap<>();
        int before = 1 + columns.size() + (pairs ? key.size() : 0);
        int ours = before + keys.size();
        ReturningStatement.Result result = new ReturningStatement(run, selection.returning(), joined)
                .run(
                        rows.restricted(head, pairing.toString(), parameters),
                        parameters,
                        "",
                        reads.toString(),
                        ours,
                        (result1, first) -> {
                            List<Value> now = TableImages.values(result1, columns, first + 1);
                            List<Value> nowKey = target.images().keyOf(columns, now);
                            after.put(nowKey, now);
                            if (moved != null) {
                                moved.put(TableImages.values(result1, key, first + 1 + columns.size()), nowKey);
                            }
                            keys.add(result1, first + before);
                        });
        return new Outcome(
                result.count(),
                followers.with(changes(target, result.count(), moved, after)),
                keys.keys(),
                run.incomplete(),
                result.rows(),
                result.warnings());
    }

    /**
     * MySQL and MariaDB return nothing: the rows are read again, or, where their keys change, the statement notes what they become.
     *
     * @param foreseen the rows after, where that is known before; else null
     */
    private Outcome readingAgain(
            SelectedRows rows, @Nullable Map<List<Value>, List<Value>> foreseen, Parameters parameters)
            throws SQLException {
        Target first = targets.get(0);
        if (first.changesKey()) {
            return notingNew(first, rows, parameters);
        }
        SQLWarning[] warnings = new SQLWarning[1];
        int count = rows.restricted(new Query().add(selection.head(), parameters), "", parameters)
                .update(run.connection(), run.scope(), done -> {
                    run.changed();
                    warnings[0] = done.getWarnings();
                });
        boolean asForeseen = foreseen != null && (count == rows.size() || !rows.mayPassOver());
        Map<Target, Map<List<Value>, List<Value>>> after = asForeseen ? Map.of(first, foreseen) : rows.readAgain();
        List<TableChange> changes = new ArrayList<>();
        for (Target target : targets) {
            changes.addAll(changes(target, selection.several() ? 0 : count, null, SelectedRows.known(after, target)));
        }
        List<TableChange> all = followers.with(changes);
        return new Outcome(count, all, GeneratedKeys.NONE, run.incomplete()).withWarnings(warnings[0]);
    }

    private Outcome notingNew(Target target, SelectedRows rows, Parameters parameters) throws SQLException {
        RowNotes notes = new RowNotes(run, target.table(), target.changing());
        Query head = new Query()
                .add(plan.verb(), parameters)
                .add(' ' + notes.before() + ", ")
                .add(plan.assignments(), parameters)
                .add(", " + notes.after());
        int count;
        try {
            count = rows.restricted(head, "", parameters).update(run.connection(), run.scope());
        } catch (SQLException e) {
            throw notes.explained(e);
        }
        run.changed();
        Map<List<Value>, List<Value>> moved = new LinkedHashMap<>();
        Map<List<Value>, List<Value>> after = new HashMap<>();
        notes.recall().forEach((key, row) -> {
            List<Value> keyNow = target.images().keyOf(target.changing(), row);
            moved.put(key, keyNow);
            after.put(keyNow, row);
        });
        List<TableChange> all = followers.with(changes(target, count, moved, after));
        return new Outcome(count, all, GeneratedKeys.NONE, run.incomplete());
    }

    /**
     * What happened to the rows that were read, in the order in which it did where that is known.
     *
     * @param moved the new keys by the old ones; null when no key changes
     * @param after the rows as they are now, by their keys
     */
    private List<TableChange> changes(
            Target target,
            int count,
            @Nullable Map<List<Value>, List<Value>> moved,
            Map<List<Value>, List<Value>> after) {
        List<Column> columns = target.changing();
        if (count > target.before().size()) {
            run.incomplete(
                    "it changed " + count + " rows where " + target.before().size() + " were read before");
        }
        List<List<Value>> keys = moved == null ? target.keys() : List.copyOf(moved.keySet());
        if (keys.size() != target.before().size()) {
            run.incomplete("of " + target.before().size() + " rows " + keys.size() + " told which keys they got");
        }
        List<RowChange> changes = new ArrayList<>();
        for (List<Value> key : keys) {
            List<Value> row = target.before().get(key);
            List<Value> now = after.get(moved == null ? key : SelectedRows.known(moved, key));
            if (row == null || now == null) {
                run.incomplete("a changed row was not found again by its key");
            } else {
                changes.add(new RowChange(row, now));
            }
        }
        return target.images().change(TableChange.Kind.UPDATE, columns, changes);
    }
}
