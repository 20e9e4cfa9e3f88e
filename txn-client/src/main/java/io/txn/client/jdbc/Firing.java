package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Trigger.Event;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Refuses a write that a trigger may turn into more than its images show: at the statement itself, and at what undoes it; and one that no statement
 * undoes.
 */
final class Firing {

    private static final Pattern NO_ROW = Pattern.compile("(?i)\\breturn\\s+null\\b");

    private final WriteRun run;
    private final Table table;

    Firing(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
    }

    /** An UPDATE of these columns is undone by one, which also sets what is left to triggers. */
    void update(List<Column> columns) throws SQLException {
        refuseLacking(Event.UPDATE);
        refuseNumberedAnew(columns);
        refuseKeyThatMovesByItself(columns);
        Set<String> left = run.options().leftToTriggers(table, Event.UPDATE);
        List<Column> set = table.columns().stream()
                .filter(column -> columns.contains(column) || left.contains(column.name()))
                .toList();
        // There, the notes that tell which row got which key are written before triggers fire.
        boolean noted =
                run.dialect().product().isMySqlFamily() && columns.stream().anyMatch(table::isKey);
        refuseUnlessLeft(Event.UPDATE, set, noted ? Set.of() : left, noted ? " of a key" : "");
    }

    /** A DELETE is undone by INSERT. */
    void delete() throws SQLException {
        refuseLacking(Event.DELETE);
        refuse(Event.DELETE, null, "");
        refuseUnlessLeft(Event.INSERT, null, run.options().leftToTriggers(table, null), ", which undoes the DELETE");
    }

    /** An INSERT, also one that may change or delete rows which are there, and MERGE; an INSERT is undone by DELETE. */
    void insert(Plan.Write plan) throws SQLException {
        refuseLacking(Event.INSERT);
        if (plan instanceof Plan.Merge
                || plan instanceof Plan.RichInsert rich && rich.conflict() == Plan.Conflict.CHANGE && rich.replace()) {
            refuseLacking(Event.DELETE);
        }
        boolean plain = plan instanceof Plan.Insert
                || plan instanceof Plan.RichInsert rich && rich.conflict() == Plan.Conflict.FAIL;
        for (Trigger trigger : table.triggers()) {
            if (trigger.fires(Event.INSERT, null) && !(plain && setsNewRowOnly(trigger))) {
                throw plain ? refusal(trigger, Event.INSERT, "") : refusalOfUpsert(trigger, Event.INSERT);
            }
        }
        refuse(Event.DELETE, null, ", which undoes the INSERT");
        if (plan instanceof Plan.RichInsert rich && rich.conflict() == Plan.Conflict.CHANGE) {
            refuseNumberedAnew(columns(rich.assigned()));
            if (!rich.replace()) {
                refuseKeyThatMovesByItself(columns(rich.assigned()));
            }
            refuseUpsert(rich.replace() ? null : columns(rich.assigned()));
        }
        if (plan instanceof Plan.Merge merge
                && (merge.keyed() != null || !merge.assigned().isEmpty())) {
            refuseNumberedAnew(columns(merge.assigned()));
            refuseUpsert(merge.keyed() != null ? null : columns(merge.assigned()));
        }
    }

    private void refuseLacking(Event event) throws SQLException {
        String lacking = table.lacking().get(event);
        if (lacking != null) {
            int grant = lacking.indexOf("GRANT ");
            throw Refusals.notSupported(
                    lacking,
                    (grant < 0 ? "let a policy show this account all rows" : lacking.substring(grant))
                            + ", or run it outside the global transaction");
        }
    }

    /** The old number could not be set back. */
    private void refuseNumberedAnew(List<Column> columns) throws SQLException {
        for (Column column : columns) {
            if (column.is(Column.Trait.IDENTITY_ALWAYS)) {
                throw Refusals.notSupported(
                        "it gives " + column.name()
                                + ", which is GENERATED ALWAYS, another number, and no UPDATE takes the old one back",
                        "delete the row and insert it anew");
            }
        }
    }

    /** MySQL sets the time of the last UPDATE behind all assignments: nothing tells which row got which. */
    private void refuseKeyThatMovesByItself(List<Column> set) throws SQLException {
        for (Column column : table.key()) {
            if (column.is(Column.Trait.MAINTAINED)
                    && !set.contains(column)
                    && run.dialect().product().isMySqlFamily()) {
                throw Refusals.notSupported(
                        "the database changes " + column.name() + ", which is in the key, by itself at every UPDATE",
                        "set " + column.name() + " in the statement");
            }
        }
    }

    /** What it does to the new row is in the row's image. */
    private boolean setsNewRowOnly(Trigger trigger) throws SQLException {
        String text = trigger.ofNewRow();
        if (text.isEmpty() || text.indexOf('@') >= 0 || NO_ROW.matcher(text).find()) {
            return false;
        }
        return onlyReads(text) && onlyReads(trigger.condition());
    }

    private boolean onlyReads(String text) throws SQLException {
        Mentions mentions = Mentions.of(text, run.dialect().syntax());
        return mentions.understood() && !mentions.writes() && run.functionThatWrites(mentions) == null;
    }

    /** @param left the columns that are left to triggers which do nothing but set them */
    private void refuseUnlessLeft(Event event, @Nullable List<Column> columns, Set<String> left, String why)
            throws SQLException {
        for (Trigger trigger : table.triggers()) {
            if (trigger.fires(event, columns) && !(trigger.setsOnly(left) && setsNewRowOnly(trigger))) {
                throw left(trigger, event, why);
            }
        }
    }

    /** Of a trigger that is understood, what the account can choose. */
    private SQLException left(Trigger trigger, Event event, String why) throws SQLException {
        Set<String> sets = trigger.sets();
        if (sets == null || !setsNewRowOnly(trigger) || !sets.stream().allMatch(table::concernsItsRowAlone)) {
            return refusal(trigger, event, why);
        }
        Set<String> left = run.options().leftToTriggers(table, null);
        List<String> names = sets.stream()
                .filter(name -> !left.contains(name))
                .sorted()
                .map(name -> table.name() + '.' + name)
                .toList();
        if (names.isEmpty()) {
            return refusal(trigger, event, why);
        }
        return Refusals.notSupported(
                trigger.name() + " on " + table.lockName() + " sets " + String.join(", ", names) + " at " + event + why
                        + ", and would do so again when that is undone",
                "name " + String.join(", ", names)
                        + " under txn.jdbc.columns-left-to-triggers, in every service that writes the table: then an undo sets it back only as far as the trigger lets it,"
                        + " and nobody compares it."
                        + " Or set it by statements of the transaction and drop the trigger");
    }

    private void refuse(Event event, @Nullable List<Column> columns, String why) throws SQLException {
        Trigger trigger = table.triggerOn(event, columns);
        if (trigger != null) {
            throw refusal(trigger, event, why);
        }
    }

    private void refuseUpsert(@Nullable List<Column> columns) throws SQLException {
        Trigger trigger = table.triggerOn(Event.UPDATE, columns);
        if (trigger != null) {
            throw refusalOfUpsert(trigger, Event.UPDATE);
        }
    }

    /** A statement that inserts or updates, as it turns out. */
    private SQLException refusalOfUpsert(Trigger trigger, Event event) throws SQLException {
        if (trigger.sets() == null || !setsNewRowOnly(trigger)) {
            return refusal(trigger, event, "");
        }
        return Refusals.notSupported(
                trigger.name() + " on " + table.lockName() + " fires at " + event
                        + ", and columns are left to triggers at UPDATE, DELETE and plain INSERT only",
                "run an UPDATE, and an INSERT where it finds no row");
    }

    private SQLException refusal(Trigger trigger, Event event, String why) {
        return Refusals.notSupported(
                trigger.name() + " on " + table.lockName() + " fires at " + event + why
                        + ", and may write where no image is taken",
                "do what it does by statements of the transaction and drop it, or write to the table by TCC");
    }

    private List<Column> columns(List<Identifier> written) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (Identifier name : written) {
            columns.add(TableImages.column(table, name));
        }
        return columns;
    }
}
