package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Chooses how an INSERT that is more than {@code INSERT … VALUES}, a REPLACE or a MERGE is captured, by what the database can tell. */
final class InsertCaptures {

    private InsertCaptures() {}

    static WriteCapture of(Plan.RichInsert plan, WriteRun run, Table table) throws SQLException {
        if (plan.replace()) {
            // On MariaDB it sees to those who follow by itself.
            if (run.dialect().insert() != Capture.RETURNING
                    && new Followers(run).deleting(table).any()) {
                throw Refusals.notSupported(
                        "rows that refer to a replaced one would be deleted or changed with it by a foreign key",
                        "write INSERT … ON DUPLICATE KEY UPDATE");
            }
            return choose(plan, run, table);
        }
        return followed(choose(plan, run, table), plan, run, table, columns(table, plan.assigned()), false);
    }

    private static WriteCapture choose(Plan.RichInsert plan, WriteRun run, Table table) throws SQLException {
        Dialect dialect = run.dialect();
        boolean changes = plan.conflict() == Plan.Conflict.CHANGE;
        if (changes) {
            UnvalidatedRows.refuseAny(table);
        }
        switch (dialect.product()) {
            case POSTGRESQL -> {
                if (dialect.update() == Capture.RETURNING_OLD_AND_NEW) {
                    return new OldAndNewCapture(run, table, plan.body(), plan.returning(), plan.single());
                }
                if (!changes) {
                    return new RichInsertCapture(plan, run, table);
                }
                return new NotedUpsertCapture(plan, run, table);
            }
            case MARIADB, MYSQL -> {
                if (dialect.insert() == Capture.RETURNING) {
                    if (!changes) {
                        return new RichInsertCapture(plan, run, table);
                    }
                    return plan.replace()
                            ? new ReplaceCapture(plan, run, table)
                            : new DuplicateKeyCapture(plan, run, table);
                }
                return plan.conflict() == Plan.Conflict.FAIL
                        ? new InsertCapture(UpsertByQueriesCapture.asInsert(plan, table), run, table)
                        : new UpsertByQueriesCapture(plan, run, table);
            }
            case H2 -> {
                if (!changes) {
                    return new NewRowsCapture(plan, run, table);
                }
                throw Refusals.notSupported(
                        "H2 does not tell which rows it changed", "write MERGE INTO … KEY (…) VALUES …");
            }
            default -> throw new AssertionError(dialect.product());
        }
    }

    static WriteCapture of(Plan.Merge plan, WriteRun run, Table table) throws SQLException {
        Plan.KeyedMerge keyed = plan.keyed();
        List<Column> set =
                keyed != null && keyed.columns().isEmpty() ? table.columns() : columns(table, plan.assigned());
        return followed(choose(plan, run, table), plan, run, table, set, plan.deletes());
    }

    private static WriteCapture choose(Plan.Merge plan, WriteRun run, Table table) throws SQLException {
        UnvalidatedRows.refuseAny(table);
        if (run.dialect().update() == Capture.RETURNING_OLD_AND_NEW) {
            return new OldAndNewCapture(run, table, plan.body(), returning(plan, run), null);
        }
        if (run.dialect().product() == Dialect.Product.H2) {
            return new H2MergeCapture(plan, run, table);
        }
        throw Refusals.notSupported(
                "this database does not tell what MERGE did to which row", "send UPDATE and INSERT by themselves");
    }

    /** PostgreSQL's driver asks for generated keys by a RETURNING of its own, and in a MERGE that shows the source's columns too. */
    private static Plan.@Nullable Returning returning(Plan.Merge plan, WriteRun run) {
        KeyRequest keys = run.keyRequest();
        if (plan.returning() != null || !keys.wanted()) {
            return plan.returning();
        }
        String list = keys.names().isEmpty()
                ? "*"
                : keys.names().stream().map(run.dialect()::quote).collect(Collectors.joining(", "));
        return new Plan.Returning(new Fragment(list, 0, 0), null, null, false);
    }

    /** The same with the rows that follow by a foreign key what it changes or deletes. */
    private static WriteCapture followed(
            WriteCapture capture, Plan.Write plan, WriteRun run, Table table, List<Column> set, boolean deletes)
            throws SQLException {
        boolean updated = new Followers(run).setting(table, set).any();
        boolean deleted = deletes && new Followers(run).deleting(table).any();
        if (!updated && !deleted) {
            return capture;
        }
        WriteCapture.refuseVariables(plan, run);
        return new FollowedCapture(capture, run, table, updated ? set : List.of(), deleted);
    }

    private static List<Column> columns(Table table, List<Identifier> assigned) throws SQLException {
        List<Column> columns = new ArrayList<>();
        for (Identifier written : assigned) {
            columns.add(TableImages.column(table, written));
        }
        return columns;
    }
}
