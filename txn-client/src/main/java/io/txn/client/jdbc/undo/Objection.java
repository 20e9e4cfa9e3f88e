package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Dialect;
import io.txn.protocol.extension.UndoReport;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a constraint's objection says: its kind, and the names of constraint and table, as far as the database tells. The values in the text are left out.
 */
record Objection(UndoReport.Cause cause, String detail) {

    private static final Pattern POSTGRES_NAME = Pattern.compile("\"([^\"]+)\"");
    private static final Pattern MARIADB_KEY = Pattern.compile("for key '([^']+)'\\s*$");
    private static final Pattern MARIADB_REFERENCE = Pattern.compile("\\((`[^`]+`\\.`[^`]+`), CONSTRAINT (`[^`]+`)");
    private static final Pattern H2_CONSTRAINT = Pattern.compile("\"?([^\":\\s]+): ([^ ]+) (?:FOREIGN KEY|CHECK)");
    private static final Pattern H2_UNIQUE = Pattern.compile("(?:\"|: )([^\"\\s]+ ON [^(\"]+)\\(");

    static Objection of(Dialect dialect, SQLException e) {
        String text = e.getMessage() == null ? "" : e.getMessage();
        String line = text.split("\\R", 2)[0];
        if (dialect.refusesValue(e)) {
            return new Objection(
                    UndoReport.Cause.CONSTRAINT,
                    "a trigger of the table fails at what the row was before, or does not fit what it makes of it (SQL state "
                            + e.getSQLState() + ", error " + e.getErrorCode() + ")");
        }
        Objection named =
                switch (dialect.product()) {
                    case POSTGRESQL -> postgres(e, line);
                    case MARIADB, MYSQL -> mariaDb(e, line);
                    case H2 -> h2(e, line);
                };
        return named;
    }

    private static Objection postgres(SQLException e, String line) {
        List<String> names = new ArrayList<>();
        Matcher matcher = POSTGRES_NAME.matcher(line);
        while (matcher.find()) {
            names.add(matcher.group(1));
        }
        String last = names.isEmpty() ? null : names.get(names.size() - 1);
        if ("23505".equals(e.getSQLState()) || "23P01".equals(e.getSQLState())) {
            return new Objection(UndoReport.Cause.TAKEN, constraint(last, null, e));
        }
        // "update or delete on table p violates foreign key constraint c on table t": three names; of a missing parent
        // there are two.
        if ("23503".equals(e.getSQLState()) && names.size() == 3) {
            return new Objection(UndoReport.Cause.REFERENCED, constraint(names.get(1), last, e));
        }
        return new Objection(UndoReport.Cause.CONSTRAINT, constraint(last, null, e));
    }

    private static Objection mariaDb(SQLException e, String line) {
        if (e.getErrorCode() == 1062) {
            Matcher key = MARIADB_KEY.matcher(line);
            return new Objection(UndoReport.Cause.TAKEN, constraint(key.find() ? key.group(1) : null, null, e));
        }
        Matcher reference = MARIADB_REFERENCE.matcher(line);
        boolean found = reference.find();
        String table = found ? reference.group(1) : null;
        String name = found ? reference.group(2) : null;
        return new Objection(
                e.getErrorCode() == 1451 ? UndoReport.Cause.REFERENCED : UndoReport.Cause.CONSTRAINT,
                constraint(name, table, e));
    }

    private static Objection h2(SQLException e, String line) {
        if ("23505".equals(e.getSQLState())) {
            Matcher index = H2_UNIQUE.matcher(line);
            return new Objection(UndoReport.Cause.TAKEN, constraint(index.find() ? index.group(1) : null, null, e));
        }
        Matcher constraint = H2_CONSTRAINT.matcher(line);
        boolean found = constraint.find();
        return new Objection(
                "23503".equals(e.getSQLState()) ? UndoReport.Cause.REFERENCED : UndoReport.Cause.CONSTRAINT,
                constraint(found ? constraint.group(1) : null, found ? constraint.group(2) : null, e));
    }

    private static String constraint(@Nullable String name, @Nullable String table, SQLException e) {
        String state = "SQL state " + e.getSQLState() + ", error " + e.getErrorCode();
        return (name == null ? "a constraint" : "constraint " + name) + (table == null ? "" : " of " + table) + " ("
                + state + ")";
    }
}
