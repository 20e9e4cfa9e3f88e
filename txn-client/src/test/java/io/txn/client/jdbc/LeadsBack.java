package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.protocol.ErrorCode;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** That no way through what a connection gives leads to the physical one. */
final class LeadsBack {

    private LeadsBack() {}

    static void whateverMetaDataGive(Connection connection) throws SQLException {
        DatabaseMetaData about = connection.getMetaData();
        assertThat(about.getConnection()).isSameAs(connection);
        assertThat(about.isWrapperFor(DatabaseMetaData.class)).isTrue();
        assertThat(about.unwrap(DatabaseMetaData.class)).isSameAs(about);
        int leading = 0;
        try (ResultSet tables = about.getTables(null, null, null, null);
                ResultSet columns = about.getColumns(null, null, "account", null);
                ResultSet catalogs = about.getCatalogs()) {
            for (ResultSet rows : new ResultSet[] {tables, columns, catalogs}) {
                assertThat(rows.equals(rows)).isTrue();
                Statement statement = rows.getStatement();
                if (statement != null) {
                    leading++;
                    assertThat(statement.getConnection()).isSameAs(connection);
                    SQLException refused = catchThrowableOfType(
                            SQLException.class, () -> statement.executeUpdate("DELETE FROM account"));
                    assertThat(refused.getMessage()).contains(ErrorCode.STATEMENT_NOT_SUPPORTED.id());
                }
            }
            boolean hasSome = about.getDatabaseProductName().equals("PostgreSQL");
            assertThat(leading > 0).as("statements behind the results").isEqualTo(hasSome);
            assertThat(tables.next()).isTrue();
            assertThat(tables.getString("TABLE_NAME")).isNotEmpty();
        }
    }

    static void whateverStatementsGive(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM account")) {
            assertThat(rows.getStatement()).isSameAs(statement);
            assertThat(rows.getStatement().getConnection()).isSameAs(connection);
            assertThat(rows.next()).isTrue();
        }
    }
}
