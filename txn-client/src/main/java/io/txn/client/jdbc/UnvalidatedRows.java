package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;

/**
 * Rows that break a check which PostgreSQL was told not to look at ({@code NOT VALID}). It lets such a row go, and does not take it back as it was. They become fewer only: whoever writes one
 * has to mend it. So looking for them before the statement is enough. For one statement execution.
 */
final class UnvalidatedRows {

    private UnvalidatedRows() {}

    /** Refuses an UPDATE or DELETE that means one of them. */
    static void refuse(WriteRun run, Plan.Selection selection, Target target, Parameters parameters)
            throws SQLException {
        String checks = target.table().unvalidated();
        if (checks == null) {
            return;
        }
        Query query = new Query().add(selection.with(), parameters);
        String separator = (selection.with().isEmpty() ? "" : " ") + "SELECT 1 FROM ";
        for (var from : selection.from()) {
            query.add(separator).add(from, parameters);
            separator = ", ";
        }
        String row = target.sources().get(0).row();
        // The checks name the columns, and may name the table.
        query.add(" WHERE NOT coalesce((SELECT " + checks + " FROM (SELECT " + row + ".*) AS "
                + run.dialect().quote(target.table().name()) + "), true)");
        if (!selection.where().isEmpty()) {
            query.add(" AND (").add(selection.where(), parameters).add(")");
        }
        boolean[] found = new boolean[1];
        query.add(" LIMIT 1").read(run.connection(), run.scope(), any -> found[0] = true);
        if (found[0]) {
            throw Refusals.notSupported(
                    "it means a row of " + target.table().lockName()
                            + " that breaks a constraint which is NOT VALID: the database would not take the row back as it is",
                    "mend such rows outside the global transaction and VALIDATE the constraint");
        }
    }

    /** Refuses what may change rows that nobody knows before. */
    static void refuseAny(Table table) throws SQLException {
        if (table.unvalidated() != null) {
            throw Refusals.notSupported(
                    "it may change a row of " + table.lockName()
                            + " that breaks a constraint which is NOT VALID: the database would not take the row back as it is",
                    "VALIDATE the constraint, or send INSERT, UPDATE and DELETE by themselves");
        }
    }
}
