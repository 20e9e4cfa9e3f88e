package io.txn.client.jdbc;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What somebody who looks at a data source's database should know.
 *
 * @param resourceId the id under which the coordinator knows it
 * @param undoTable the name of the undo table
 * @param undoTableProblem what is wrong with it or with this account's rights on it; null when nothing is
 * @param rowsName by which name, besides the resource id, the coordinator knows its rows; null when it has no identity yet
 * @param hidden what the database hides from this account, each with the statement that mends it
 * @param tablesWithoutKey tables of the connection's own schema that global transactions cannot write, because their rows cannot be named
 * @param columnsLeftToTriggers what the application has left to triggers to set: an undo sets it back only as far as they let it
 * @param losesCommits whether it acknowledges commits before they are written
 */
public record DatabaseFindings(
        String resourceId,
        String undoTable,
        @Nullable String undoTableProblem,
        @Nullable String rowsName,
        List<String> hidden,
        List<String> tablesWithoutKey,
        Set<String> columnsLeftToTriggers,
        boolean losesCommits) {

    public DatabaseFindings {
        hidden = List.copyOf(hidden);
        tablesWithoutKey = List.copyOf(tablesWithoutKey);
        columnsLeftToTriggers = Set.copyOf(columnsLeftToTriggers);
    }
}
