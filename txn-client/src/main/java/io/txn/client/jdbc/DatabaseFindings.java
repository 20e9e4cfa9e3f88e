package io.txn.client.jdbc;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What somebody who looks at a data source's database should know.
 *
 * @param resourceId the id under which the coordinator knows it
 * @param undoTable the name of the undo table
 * @param undoTableProblem what is wrong with it or with this account's rights on it; null when nothing is
 * @param hidden what the database hides from this account, each with the statement that mends it
 * @param tablesWithoutKey tables of the connection's own schema that global transactions cannot write, because their rows cannot be named
 * @param losesCommits whether it acknowledges commits before they are written
 */
public record DatabaseFindings(
        String resourceId,
        String undoTable,
        @Nullable String undoTableProblem,
        List<String> hidden,
        List<String> tablesWithoutKey,
        boolean losesCommits) {

    public DatabaseFindings {
        hidden = List.copyOf(hidden);
        tablesWithoutKey = List.copyOf(tablesWithoutKey);
    }
}
