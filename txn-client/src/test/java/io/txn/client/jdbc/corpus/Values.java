package io.txn.client.jdbc.corpus;

import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** Results as text, to be compared. */
final class Values {

    private Values() {}

    /** The rows that are left in a result, which is closed. */
    static List<String> rows(ResultSet result) throws SQLException {
        try (ResultSet rows = result) {
            List<String> all = new ArrayList<>();
            ResultSetMetaData about = rows.getMetaData();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= about.getColumnCount(); i++) {
                    row.add(text(rows.getObject(i)));
                }
                all.add(String.join("|", row));
            }
            return all;
        }
    }

    private static String text(Object value) throws SQLException {
        if (value instanceof Clob clob) {
            return clob.getSubString(1, (int) clob.length());
        }
        if (value instanceof Blob blob) {
            return HexFormat.of().formatHex(blob.getBytes(1, (int) blob.length()));
        }
        if (value instanceof byte[] bytes) {
            return HexFormat.of().formatHex(bytes);
        }
        if (value instanceof Array array) {
            return Arrays.deepToString((Object[]) array.getArray());
        }
        if (value instanceof SQLXML xml) {
            return xml.getString();
        }
        return value instanceof Object[] objects ? Arrays.deepToString(objects) : String.valueOf(value);
    }
}
