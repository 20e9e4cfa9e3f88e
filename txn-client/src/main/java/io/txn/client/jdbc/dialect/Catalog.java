package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.SqlSyntax;
import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what a database knows about its tables. Stateless. */
interface Catalog {

    /**
     * The table that {@code name} means on this connection now, or null when there is none.
     *
     * @param ownSchema the schema whose tables have plain names in lock keys
     */
    @Nullable
    Table table(Connection connection, TableName name, String ownSchema) throws SQLException;

    /** What the database hides from this account; PostgreSQL and H2 show their catalogs to all. */
    default List<String> missingGrants(Connection connection) throws SQLException {
        return List.of();
    }

    /** A text that is another one whenever {@link #routines} would bring something else; empty when there are none that could write. */
    String routinesNow(Connection connection) throws SQLException;

    /** What procedures of this name do; null where they are among {@link #routines}. */
    default @Nullable Procedures procedures(Connection connection, String name, Set<String> reading, SqlSyntax syntax)
            throws SQLException {
        return null;
    }

    /** A key that can be checked at the commit, of these or, when none is named, of all; null when there is none. */
    default @Nullable String deferrableKey(Connection connection, List<String> names) throws SQLException {
        return null;
    }

    /**
     * Functions that may write.
     *
     * @param reading names of those that are said not to, in lower case, with or without schema
     */
    Routines routines(Connection connection, Set<String> reading, SqlSyntax syntax) throws SQLException;
}
