package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.TableName;
import java.sql.Connection;
import java.sql.SQLException;
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
}
