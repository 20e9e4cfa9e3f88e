package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.MySqlStored;
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
 * Which row became what, in MySQL's and MariaDB's SQL: an UPDATE of one table carries out its assignments row by row from left to right, so one put
 * before the others and one behind them, which set a key column to itself, write down the key as it was and the row as it is. What the server
 * itself writes after the assignments (ON UPDATE) is not in it. The number of the execution stands in front, so that nothing left behind by a
 * failed one counts. For one statement execution.
 */
final class RowNotes {

    private static final String VARIABLE = "@txn_rows";
    /** The one of {@link NotedRows}, which is read later. */
    static final String UNREAD = "@txn_noted";
    /** A column is set twice, which sql_mode SIMULTANEOUS_ASSIGNMENT does not allow. */
    static final int SET_TWICE = 4140;
    /** A text is longer than {@code max_allowed_packet} lets it be. */
    static final int TOO_LONG = 1301;

    private final WriteRun run;
    private final Table table;
    private final List<Column> columns;
    private final String number;

    /** @param columns what is noted of a row as it is */
    RowNotes(WriteRun run, Table table, List<Column> columns) {
        this.run = run;
        this.table = table;
        this.columns = columns;
        this.number = run.number() + ':';
    }

    /** The assignment to be put before the others. */
    String before() {
        String begun = "IF(LEFT(" + VARIABLE + ", " + number.length() + ") = '" + number + "', " + VARIABLE + ", '"
                + number + "')";
        return noting(VARIABLE, table.key().get(0), begun, table.key(), '>');
    }

    /** The assignment to be put behind the others. */
    String after() {
        return noting(VARIABLE, table.key().get(0), VARIABLE, columns, ';');
    }

    /**
     * The assignment that notes rows as they are before the others, among notes that are read later. Each of its parameters is what stands in front of a note.
     *
     * @param carrier the column that is set to itself
     * @param length of what stands in front
     * @param behind whether there are notes already that nobody has read; if not, what stands there is forgotten
     * @param where whether to note in which database it happens
     */
    static String before(Column carrier, int length, boolean behind, boolean where, List<Column> columns) {
        String soFar =
                behind ? UNREAD + ", ?" : "IF(LEFT(" + UNREAD + ", " + length + ") = ?, CONCAT(" + UNREAD + ", ?), ?)";
        return noting(UNREAD, carrier, soFar + (where ? ", HEX(DATABASE())" : "") + ", '/'", columns, '>');
    }

    /** The assignment that notes rows as they are behind the others. */
    static String after(Column carrier, List<Column> columns) {
        return noting(UNREAD, carrier, UNREAD, columns, ';');
    }

    /** @param soFar what the variable holds in front of what is noted */
    private static String noting(String variable, Column carrier, String soFar, List<Column> noted, char end) {
        String name = carrier.sqlName();
        String values = noted.stream().map(RowNotes::printed).collect(Collectors.joining(", ',', "));
        return name + " = IF((" + variable + " := CONCAT(" + soFar + ", " + values + ", '" + end + "')) IS NULL, "
                + name + ", " + name + ")";
    }

    /** Numbers are printed as they are read: there is less to parse for the server. */
    private static String printed(Column column) {
        return MySqlStored.isNumber(column)
                ? "COALESCE(" + column.sqlName() + ", '-')"
                : RowMemory.hex(column, column.sqlName());
    }

    /** Asks for the notes and empties them: the rows as they are by the keys that they had, in the order in which they changed. */
    Map<List<Value>, List<Value>> recall() throws SQLException {
        String[] text = new String[1];
        new Query()
                .add("SELECT CAST(" + VARIABLE + " AS CHAR), (" + VARIABLE + " := NULL)")
                .read(run.connection(), run.scope(), row -> text[0] = row.getString(1));
        Map<List<Value>, List<Value>> rows = new LinkedHashMap<>();
        // Without any, no row was written, or a text became longer than the server lets it be: the caller sees that
        // keys are missing.
        if (text[0] != null && text[0].startsWith(number)) {
            for (String pair : text[0].substring(number.length()).split(";")) {
                String[] texts = pair.split(">", -1);
                rows.put(values(texts[0], table.key()), values(texts[1], columns));
            }
        }
        return rows;
    }

    static List<Value> values(String text, List<Column> noted) {
        String[] parts = text.split(",", -1);
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < noted.size(); i++) {
            Column column = noted.get(i);
            boolean plain = MySqlStored.isNumber(column) && !parts[i].equals("-");
            values.add(plain ? new Value.Text(parts[i]) : RowMemory.value(column.codec(), parts[i]));
        }
        return values;
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
