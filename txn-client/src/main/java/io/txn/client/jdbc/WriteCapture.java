package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs one kind of write on a physical connection, within its open transaction, and brings back which rows it changed; one class per kind. How,
 * depends on what the database can tell ({@link io.txn.client.jdbc.dialect.Capture}); {@code docs/at.md} has the table. For one statement execution.
 */
interface WriteCapture {

    /** H2's function that sets a variable. */
    Pattern H2_SETS = Pattern.compile("(?i)\\bSET\\s*\\(\\s*@");

    /** Says why the statement must not run, if so; reads nothing and changes nothing. */
    void check() throws SQLException;

    /** The write as one of rows that its condition names by their keys; null when it may reach others, or moves them to other keys. */
    default KeyedBatch.@Nullable ByKey byKey() throws SQLException {
        return null;
    }

    /** Runs the write. When this throws, {@link WriteRun#leftChanges} says whether rows may have changed all the same. */
    Outcome run(Parameters parameters) throws SQLException;

    /**
     * Runs several executions of it as one statement.
     *
     * @param counts takes what each execution counts
     * @return null, and nothing was done, where this has no way
     * @throws SQLException also when the database did not tell which row is of which execution; then some may have been written
     */
    default @Nullable Outcome together(List<Parameters> executions, long[] counts) throws SQLException {
        return null;
    }

    /** The way to run and capture a planned write, which was checked and may be run. */
    static WriteCapture of(Plan.Write plan, WriteRun run) throws SQLException {
        WriteCapture capture = choose(plan, run);
        capture.check();
        return capture;
    }

    /** Whether it sets variables of the session on its way ({@code @name := …}), in doubt yes: no rollback takes that back. To PostgreSQL, the sign means an argument. */
    static boolean setsVariables(Plan.Write plan, WriteRun run) {
        String text = plan.statement().text();
        int variable = text.indexOf('@');
        return variable >= 0
                && run.dialect().product() != Dialect.Product.POSTGRESQL
                && (text.indexOf(":=", variable) > 0
                        || run.dialect().product() == Dialect.Product.H2
                                && H2_SETS.matcher(text).find());
    }

    /** What follows a foreign key is seen to where that is known: {@link #refuseVariables}. */
    private static boolean mayRunTwice(Plan.Write plan, WriteRun run) {
        if (plan instanceof Plan.Modification modification) {
            return modification.selection().several()
                    && conditions(modification.selection()).contains(":=");
        }
        return plan instanceof Plan.Merge
                || plan instanceof Plan.RichInsert insert
                        && insert.conflict() == Plan.Conflict.CHANGE
                        && (insert.replace() || run.dialect().insert() != Capture.RETURNING);
    }

    /** What joined rows are chosen by: it runs when they are read, and with the statement. */
    static String conditions(Plan.Selection selection) {
        return selection.with().text()
                + ' '
                + selection.from().stream().map(Fragment::text).collect(Collectors.joining(" "))
                + ' '
                + selection.where().text();
    }

    /** Refuses what would set a variable twice. */
    static void refuseVariables(Plan.Write plan, WriteRun run) throws SQLException {
        if (setsVariables(plan, run)) {
            throw Refusals.notSupported(
                    "it sets a variable of the session, and may have to run twice",
                    "set the variable by a statement of its own");
        }
    }

    private static WriteCapture choose(Plan.Write plan, WriteRun run) throws SQLException {
        if (mayRunTwice(plan, run)) {
            refuseVariables(plan, run);
        }
        if (plan instanceof Plan.Update update) {
            return new UpdateCapture(update, run);
        }
        if (plan instanceof Plan.Delete delete) {
            return new DeleteCapture(delete, run);
        }
        Table table = run.writable(plan.table());
        new Firing(run, table).insert(plan);
        if (plan instanceof Plan.Insert insert) {
            return new InsertCapture(insert, run, table);
        }
        if (plan instanceof Plan.RichInsert insert) {
            return InsertCaptures.of(insert, run, table);
        }
        if (plan instanceof Plan.Merge merge) {
            return InsertCaptures.of(merge, run, table);
        }
        throw new AssertionError(plan);
    }
}
