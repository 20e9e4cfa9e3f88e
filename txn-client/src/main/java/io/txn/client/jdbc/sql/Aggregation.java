package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Whether a piece of a SELECT may make one row out of several, judged by its words alone. Users make aggregate functions too, and some databases let a
 * column stand beside them: so every function may be one, but those that are known.
 */
final class Aggregation {

    /** What may stand before a parenthesis: functions of one row, and words that are no functions. */
    private static final Set<String> OF_ONE_ROW = Set.of(
            // no functions
            "AND",
            "OR",
            "NOT",
            "IN",
            "LIKE",
            "BETWEEN",
            "CASE",
            "WHEN",
            "THEN",
            "ELSE",
            "AS",
            "SELECT",
            "BY",
            "ALL",
            // types
            "CHAR",
            "VARCHAR",
            "CHARACTER",
            "VARYING",
            "DECIMAL",
            "NUMERIC",
            "BINARY",
            "VARBINARY",
            "FLOAT",
            "TIMESTAMP",
            "DATETIME",
            "TIME",
            "INTERVAL",
            "BIT",
            // NULL and choice
            "COALESCE",
            "NULLIF",
            "IFNULL",
            "NVL",
            "NVL2",
            "IF",
            "GREATEST",
            "LEAST",
            "CAST",
            "CONVERT",
            "DECODE",
            // text
            "CONCAT",
            "CONCAT_WS",
            "LOWER",
            "UPPER",
            "LCASE",
            "UCASE",
            "TRIM",
            "LTRIM",
            "RTRIM",
            "BTRIM",
            "LENGTH",
            "CHAR_LENGTH",
            "CHARACTER_LENGTH",
            "OCTET_LENGTH",
            "BIT_LENGTH",
            "SUBSTRING",
            "SUBSTR",
            "LEFT",
            "RIGHT",
            "REPLACE",
            "REPEAT",
            "REVERSE",
            "LPAD",
            "RPAD",
            "POSITION",
            "LOCATE",
            "INSTR",
            "STRPOS",
            "ASCII",
            "HEX",
            "UNHEX",
            "MD5",
            "SHA1",
            "SHA2",
            "FORMAT",
            "INITCAP",
            "SPLIT_PART",
            "REGEXP_REPLACE",
            "TRANSLATE",
            // numbers
            "ABS",
            "CEIL",
            "CEILING",
            "FLOOR",
            "ROUND",
            "TRUNC",
            "TRUNCATE",
            "MOD",
            "POWER",
            "POW",
            "SQRT",
            "SIGN",
            "EXP",
            "LN",
            "LOG",
            "LOG10",
            "RAND",
            "RANDOM",
            "PI",
            // time
            "NOW",
            "CURRENT_DATE",
            "CURRENT_TIME",
            "CURRENT_TIMESTAMP",
            "LOCALTIME",
            "LOCALTIMESTAMP",
            "EXTRACT",
            "YEAR",
            "MONTH",
            "DAY",
            "HOUR",
            "MINUTE",
            "SECOND",
            "DATE",
            "DATE_FORMAT",
            "DATE_ADD",
            "DATE_SUB",
            "DATEADD",
            "DATEDIFF",
            "DATE_TRUNC",
            "DATE_PART",
            "TIMESTAMPDIFF",
            "TIMESTAMPADD",
            "UNIX_TIMESTAMP",
            "FROM_UNIXTIME",
            "TO_CHAR",
            "TO_DATE",
            "TO_TIMESTAMP",
            "TO_NUMBER",
            "STR_TO_DATE",
            "DAYOFWEEK",
            "DAYOFMONTH",
            "DAYOFYEAR",
            "WEEK",
            "QUARTER",
            "LAST_DAY",
            "AGE",
            // json, identity
            "JSON_EXTRACT",
            "JSON_VALUE",
            "JSON_UNQUOTE",
            "JSON_QUERY",
            "JSONB_EXTRACT_PATH_TEXT",
            "UUID",
            "GEN_RANDOM_UUID",
            "DATABASE",
            "USER",
            "CURRENT_USER",
            "VERSION");

    private Aggregation() {}

    static boolean isPossible(List<Token> tokens) {
        for (int i = 0; i + 1 < tokens.size(); i++) {
            Token token = tokens.get(i);
            boolean name = token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER;
            if (name && tokens.get(i + 1).isSymbol('(') && !isKnown(tokens, i)) {
                return true;
            }
        }
        return false;
    }

    /** A qualified function is somebody's own, whatever its name. */
    private static boolean isKnown(List<Token> tokens, int at) {
        boolean qualified = at > 0 && tokens.get(at - 1).isSymbol('.');
        return !qualified && OF_ONE_ROW.contains(tokens.get(at).text().toUpperCase(Locale.ROOT));
    }
}
