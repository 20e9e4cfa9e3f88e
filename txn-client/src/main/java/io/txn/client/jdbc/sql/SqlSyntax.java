package io.txn.client.jdbc.sql;

/**
 * How a database splits SQL text into tokens, as far as that matters for finding the end of a literal, a comment or an identifier.
 *
 * @param backslashEscapes whether a backslash in a string literal escapes the next character
 * @param hashComments whether {@code #} begins a comment
 * @param dashNeedsBlank whether {@code --} begins a comment only before white space
 * @param dollarQuotes whether {@code $tag$ … $tag$} is a literal
 * @param nestedComments whether block comments nest
 * @param backticks whether backticks quote identifiers
 * @param doubleQuotesAreStrings whether double quotes enclose a string rather than an identifier
 * @param escapePrefix whether {@code E'…'} is a string with backslash escapes
 * @param doubledQuestionMark whether the driver turns {@code ??} into an operator {@code ?}
 */
public record SqlSyntax(
        boolean backslashEscapes,
        boolean hashComments,
        boolean dashNeedsBlank,
        boolean dollarQuotes,
        boolean nestedComments,
        boolean backticks,
        boolean doubleQuotesAreStrings,
        boolean escapePrefix,
        boolean doubledQuestionMark) {

    public static final SqlSyntax H2 = new SqlSyntax(false, false, false, true, true, true, false, false, false);

    public static final SqlSyntax MYSQL = new SqlSyntax(true, true, true, false, false, true, true, false, false);

    public static final SqlSyntax POSTGRESQL = postgreSql(true);

    /** PostgreSQL's syntax as {@code standard_conforming_strings} shapes it. */
    public static SqlSyntax postgreSql(boolean conformingStrings) {
        return new SqlSyntax(!conformingStrings, false, false, true, true, false, false, true, true);
    }

    /** MySQL's syntax as its {@code sql_mode} shapes it. */
    public static SqlSyntax mySql(String sqlMode) {
        return new SqlSyntax(
                !sqlMode.contains("NO_BACKSLASH_ESCAPES"),
                true,
                true,
                false,
                false,
                true,
                !sqlMode.contains("ANSI_QUOTES"),
                false,
                false);
    }
}
