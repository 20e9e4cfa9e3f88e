package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.ErrorCode;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which key became which, in MySQL's and MariaDB's SQL: an UPDATE of one table carries out its assignments row by row from left to right, so one put
 * before the others and one behind them, which set a key column to itself, write down the key as it was and as it is. The number of the
 * execution stands in front, so that nothing left behind by a failed one counts. For one statement execution.
 */
final class KeyNotes {

    private static final String VARIABLE = "@txn_keys";
    /** A column is set twice, which sql_mode SIMULTANEOUS_ASSIGNMENT does not allow. */
    private static final int SET_TWICE = 4140;

    private final WriteRun run;
    private final Table table;
    private final String number;

    KeyNotes(WriteRun run, Table table) {
        this.run = run;
        this.table = table;
        this.number = run.number() + ':';
    }

    /** The assignment to be put before the others. */
    String before() {
        String begun = "IF(LEFT(" + VARIABLE + ", " + number.length() + ") = '" + number + "', " + VARIABLE + ", '"
                + number + "')";
        return noting(begun, '>');
    }

    /** The assignment to be put behind the others. */
    String after() {
        return noting(VARIABLE, ';');
    }

    private String noting(String soFar, char end) {
        String key = table.key().get(0).sqlName();
        String values =
                table.key().stream().map(c -> RowMemory.hex(c, c.sqlName())).collect(Collectors.joining(", ',', "));
        return key + " = IF((" + VARIABLE + " := CONCAT(" + soFar + ", " + values + ", '" + end + "')) IS NULL, " + key
                + ", " + key + ")";
    }

    /** Asks for the notes and empties them: the new keys by the old ones, in the order in which the rows changed. */
    Map<List<Value>, List<Value>> recall() throws SQLException {
        String[] text = new String[1];
        new Query()
                .add("SELECT CAST(" + VARIABLE + " AS CHAR), (" + VARIABLE + " := NULL)")
                .read(run.connection(), run.scope(), row -> text[0] = row.getString(1));
        Map<List<Value>, List<Value>> moved = new LinkedHashMap<>();
        // Without any, no row was written, or a text became longer than the server lets it be: the caller sees that
        // keys are missing.
        if (text[0] != null && text[0].startsWith(number)) {
            for (String pair : text[0].substring(number.length()).split(";")) {
                String[] keys = pair.split(">", -1);
                moved.put(key(keys[0]), key(keys[1]));
            }
        }
        return moved;
    }

    private List<Value> key(String text) {
        String[] parts = text.split(",", -1);
        List<Column> columns = table.key();
        List<Value> key = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            key.add(RowMemory.value(columns.get(i).codec(), parts[i]));
        }
        return key;
    }

    /** An error of the statement as the application should see it. */
    SQLException explained(SQLException e) {
        if (e.getErrorCode() != SET_TWICE) {
            return e;
        }
        return Refusals.refused(
                ErrorCode.KEY_UPDATE_REFUSED,
                "table",
                table.lockName(),
                "reason",
                "with sql_mode SIMULTANEOUS_ASSIGNMENT the server does not tell which row got which key");
    }
}
