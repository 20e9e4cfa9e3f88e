package io.txn.client.jdbc.sql;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What an INSERT gives a column.
 *
 * @param kind how much of it is known without asking the database
 * @param source its text and parameters
 */
public record InsertValue(Kind kind, Fragment source) {

    private static final Pattern BEFORE_PARENTHESIS = Pattern.compile("([\\w.]*)\\s*\\(");

    /** What may stand before a parenthesis in an expression that reads no table. */
    private static final Set<String> HARMLESS = Set.of(
            "CAST",
            "CONVERT",
            "COALESCE",
            "NULLIF",
            "LOWER",
            "UPPER",
            "TRIM",
            "CONCAT",
            "NEXTVAL",
            "NOW",
            "CURRENT_TIMESTAMP",
            "UUID",
            "RANDOM_UUID",
            "GEN_RANDOM_UUID",
            "CHAR",
            "VARCHAR",
            "DECIMAL",
            "NUMERIC",
            "TIMESTAMP");

    /** The same behind ON CONFLICT and ON DUPLICATE KEY; a name before a parenthesis that is not a function's, or none. */
    private static final Set<String> HARMLESS_IN_ACTION = Set.of(
            "",
            "AND",
            "CONFLICT",
            "ELSE",
            "GREATEST",
            "IF",
            "IFNULL",
            "IN",
            "LEAST",
            "NOT",
            "OR",
            "SET",
            "THEN",
            "VALUE",
            "VALUES",
            "WHEN",
            "WHERE");

    private static final Pattern READS_OR_NOTES = Pattern.compile("(?i)@|\\b(SELECT|WITH|TABLE)\\b");

    private static final Pattern OTHER_EACH_TIME = Pattern.compile("(?i)RAND|UUID|NEXT");

    /** How much is known of a value. */
    public enum Kind {
        /** One bound parameter. */
        PARAMETER,
        /** A number or string. */
        LITERAL,
        /** NULL, which for an auto-increment column means: make one. */
        NULL,
        /** DEFAULT, or the column is not named. */
        DEFAULT,
        /** Anything that only the database can compute. */
        EXPRESSION
    }

    /** Whether it may have another value each time that it is evaluated, within one statement too. */
    public boolean otherEachTime() {
        return kind == Kind.EXPRESSION && OTHER_EACH_TIME.matcher(source.text()).find();
    }

    /** Whether it is to be evaluated once for each row that is written: it may have another value each time, or reads tables, or calls what is not known. */
    public boolean onceOnly() {
        return otherEachTime()
                || kind == Kind.EXPRESSION
                        && (READS_OR_NOTES.matcher(source.text()).find() || !calls(source.text(), HARMLESS_IN_ACTION));
    }

    /**
     * Whether it has the same value whatever rows the same statement has inserted before. A sub-query has not, and a function that is not known
     * need not have.
     */
    public boolean independent() {
        return kind != Kind.EXPRESSION || calls(source.text(), HARMLESS);
    }

    private static boolean calls(String text, Set<String> names) {
        return BEFORE_PARENTHESIS
                .matcher(text)
                .results()
                .map(call -> call.group(1).toUpperCase(Locale.ROOT))
                .allMatch(name -> names.contains(name) || HARMLESS.contains(name));
    }

    /** Whether what is done to a row that exists is the same whatever other rows the statement writes. In doubt it is not. */
    static boolean readsNoOtherRow(String action) {
        return !READS_OR_NOTES.matcher(action).find() && calls(action, HARMLESS_IN_ACTION);
    }
}
