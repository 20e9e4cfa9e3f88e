package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Capture;
import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.ForeignKey;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Identifier;
import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Chooses how an INSERT that is more than {@code INSERT … VALUES}, a REPLACE or a MERGE is captured, by what the database can tell. */
final class InsertCaptures {

    private InsertCaptures() {}

    static WriteCapture of(Plan.RichInsert plan, WriteRun run, Table table) throws SQLException {
        Dialect dialect = run.dialect();
        boolean followed = plan.replace() && dialect.insert() == Capture.RETURNING;
        requireNothingFollows(table, plan.assigned(), plan.replace() && !followed);
        boolean changes = plan.conflict() == Plan.Conflict.CHANGE;
        switch (dialect.product()) {
            case POSTGRESQL -> {
                if (dialect.update() == Capture.RETURNING_OLD_AND_NEW) {
                    return new OldAndNewCapture(run, table, plan.body(), plan.returning(), plan.single());
                }
                if (!changes) {
                    return new RichInsertCapture(plan, run, table);
                }
                return new RehearsedUpsertCapture(plan, run, table);
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
        requireNothingFollows(table, plan.assigned(), plan.deletes());
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

    /** Refuses what a foreign key would carry on to other rows. */
    private static void requireNothingFollows(Table table, List<Identifier> assigned, boolean deletes)
            throws SQLException {
        for (ForeignKey reference : table.referencedBy()) {
            if (deletes && reference.followsDelete()) {
                throw Refusals.notSupported(
                        "rows of " + reference.child() + " would be deleted or changed with it by a foreign key",
                        "delete or change those rows first, with a key that does not act by itself");
            }
            for (Identifier written : assigned) {
                Column column = TableImages.column(table, written);
                if (reference.followsUpdate() && reference.parentColumns().contains(column.name())) {
                    throw Refusals.notSupported(
                            "rows of " + reference.child() + " follow a change of " + column.name()
                                    + " by a foreign key",
                            "change those rows and this one by statements of their own, without ON UPDATE on the key");
                }
            }
        }
    }
}
