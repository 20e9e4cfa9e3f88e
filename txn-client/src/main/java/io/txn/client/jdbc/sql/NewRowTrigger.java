package io.txn.client.jdbc.sql;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads the text of a trigger that runs before each row, for one thing: whether all that it does is to set columns of the new row, and which. Assignments to {@code NEW.column},
 * IF and {@code RETURN NEW} are understood; of expressions those that are made of columns of the two rows, literals, operators and the words below. Nothing of
 * that reads or writes another row, raises an error of its own, swallows a row, or depends on what an application has told its session: the undo fires
 * the trigger in a session that was told nothing. All else is not understood, so that a missing word costs a refusal, and nothing more.
 */
public final class NewRowTrigger {

    /** The words of expressions, beside OLD and NEW with their columns; those before a parenthesis are functions of the database's own. */
    private static final Set<String> WORDS = Set.of(
            // operators
            "and",
            "or",
            "not",
            "is",
            "null",
            "distinct",
            "from",
            "in",
            "between",
            "like",
            "case",
            "when",
            "then",
            "else",
            "end",
            "true",
            "false",
            "row",
            "tg_op",
            "at",
            "time",
            "zone",
            // types
            "cast",
            "as",
            "text",
            "varchar",
            "character",
            "varying",
            "timestamp",
            "timestamptz",
            "date",
            "with",
            "without",
            "int",
            "integer",
            "bigint",
            "numeric",
            "boolean",
            // functions
            "coalesce",
            "nullif",
            "greatest",
            "least",
            "lower",
            "upper",
            "trim",
            "concat",
            "md5",
            "date_trunc",
            "timezone",
            "gen_random_uuid",
            "uuid",
            "current_user",
            "session_user",
            "utc_timestamp",
            "transaction_timestamp",
            "statement_timestamp",
            "clock_timestamp",
            "now",
            "sysdate",
            "curdate",
            "curtime",
            "current_timestamp",
            "current_date",
            "current_time",
            "localtimestamp",
            "localtime");

    /** Those that tell the time as it is in the session's zone. */
    private static final Set<String> CLOCKS = Set.of(
            "now",
            "sysdate",
            "curdate",
            "curtime",
            "current_timestamp",
            "current_date",
            "current_time",
            "localtimestamp",
            "localtime");

    private static final String SYMBOLS = "().,+-*/<>=|!:";

    private final List<Token> tokens;
    private final boolean plpgsql;
    private final Predicate<Identifier> zoned;
    private final Map<Identifier, Boolean> sets = new LinkedHashMap<>();
    private boolean clockInCondition;
    private int at;

    private NewRowTrigger(List<Token> tokens, boolean plpgsql, Predicate<Identifier> zoned) {
        this.tokens = tokens;
        this.plpgsql = plpgsql;
        this.zoned = zoned;
    }

    /**
     * The columns that a trigger of MySQL's family sets.
     *
     * @param text its one statement
     * @param zoned whether a column shows another value to a session in another time zone
     * @return each with whether its value may depend on the session's time zone; null when it may do more than set them, or is not understood
     */
    public static @Nullable Map<Identifier, Boolean> ofMySql(String text, Predicate<Identifier> zoned) {
        // What either of these means is settled by the sql_mode with which the trigger was made.
        if (text.indexOf('"') >= 0) {
            return null;
        }
        NewRowTrigger read = read(text, SqlSyntax.MYSQL, false, zoned);
        return read != null && read.isBody() && !read.clockInCondition ? read.sets : null;
    }

    /**
     * The columns that a trigger in PL/pgSQL sets.
     *
     * @param text that of its function
     * @param condition on which it fires; empty for none
     * @return null when it may do more than set them, or is not understood
     */
    public static @Nullable Set<Identifier> ofPlpgsql(String text, String condition) {
        NewRowTrigger when = read(condition, SqlSyntax.POSTGRESQL, true, column -> false);
        if (when == null || !when.isExpression(when.tokens.size())) {
            return null;
        }
        NewRowTrigger read = read(text, SqlSyntax.POSTGRESQL, true, column -> false);
        return read != null && read.isBody() ? Set.copyOf(read.sets.keySet()) : null;
    }

    private static @Nullable NewRowTrigger read(
            String text, SqlSyntax syntax, boolean plpgsql, Predicate<Identifier> zoned) {
        if (text.indexOf('\\') >= 0) {
            return null; // it ends a literal or not, as a setting says
        }
        try {
            return new NewRowTrigger(Lexer.tokens(text, syntax), plpgsql, zoned);
        } catch (NotUnderstood e) {
            return null;
        }
    }

    private boolean isBody() {
        boolean understood;
        if (plpgsql) {
            understood = takes("BEGIN") && areStatements() && takes("END") && returnsNew();
            takes(';');
        } else if (takes("BEGIN")) {
            understood = areStatements() && takes("END");
        } else {
            understood = isStatement();
        }
        return understood && at == tokens.size() && !sets.isEmpty();
    }

    /** Whether RETURN NEW stands before the END that was just taken: where nothing is returned, each row fails. */
    private boolean returnsNew() {
        return at > 3
                && tokens.get(at - 2).isSymbol(';')
                && tokens.get(at - 3).is("NEW")
                && tokens.get(at - 4).is("RETURN");
    }

    private boolean areStatements() {
        while (!is("END") && !is("ELSE") && !is("ELSIF") && !is("ELSEIF")) {
            if (!isStatement()) {
                return false;
            }
        }
        return true;
    }

    private boolean isStatement() {
        if (takes("IF")) {
            return isIf();
        } else if (!plpgsql) {
            return takes("SET") && areAssignments() && isEnded();
        } else if (takes("NULL")) {
            return takes(';');
        } else if (takes("RETURN")) {
            return takes("NEW") && takes(';');
        }
        return isAssignment(next(';')) && takes(';');
    }

    private boolean isIf() {
        boolean understood = isCondition() && areStatements();
        while (understood && (takes("ELSIF") || takes("ELSEIF"))) {
            understood = isCondition() && areStatements();
        }
        if (understood && takes("ELSE")) {
            understood = areStatements();
        }
        return understood && takes("END") && takes("IF") && isEnded();
    }

    /** The one statement of a trigger need not end in a semicolon. */
    private boolean isEnded() {
        return takes(';') || !plpgsql && at == tokens.size();
    }

    /** A CASE would have a THEN of its own, at which what follows could not be what it is taken for. */
    private boolean isCondition() {
        int end = at;
        while (end < tokens.size() && !tokens.get(end).is("THEN")) {
            if (tokens.get(end).is("CASE") || tokens.get(end).isSymbol(';')) {
                return false;
            }
            clockInCondition |= isClock(tokens.get(end));
            end++;
        }
        return end > at && isExpression(end) && takes("THEN");
    }

    private boolean areAssignments() {
        int end = next(';');
        do {
            int comma = at;
            while (comma < end
                    && !(tokens.get(comma).isSymbol(',') && tokens.get(comma).depth() == depth())) {
                comma++;
            }
            if (!isAssignment(comma)) {
                return false;
            }
        } while (at < end && takes(','));
        return at == end;
    }

    private boolean isAssignment(int end) {
        if (!takes("NEW") || !takes('.') || at >= end || !isName(tokens.get(at))) {
            return false;
        }
        Identifier column = Identifier.of(tokens.get(at).text());
        at++;
        takes(':');
        if (!takes('=') || at >= end) {
            return false;
        }
        boolean bySession = false;
        for (int i = at; i < end; i++) {
            Token token = tokens.get(i);
            boolean ofRow = isName(token) && tokens.get(i - 1).isSymbol('.');
            bySession |= isClock(token) || ofRow && zoned.test(Identifier.of(token.text()));
        }
        sets.merge(column, bySession, Boolean::logicalOr);
        return isExpression(end);
    }

    /** Moves to the end. */
    private boolean isExpression(int end) {
        while (at < end) {
            Token token = tokens.get(at);
            at++;
            boolean understood =
                    switch (token.kind()) {
                        case STRING, NUMBER -> true;
                        case SYMBOL -> SYMBOLS.contains(token.text());
                        case PARAMETER, QUOTED_IDENTIFIER -> false;
                        case WORD ->
                            token.is("NEW") || token.is("OLD")
                                    ? isRow(end)
                                    : WORDS.contains(token.text().toLowerCase(Locale.ROOT)) && !is('.');
                    };
            if (!understood) {
                return false;
            }
        }
        return true;
    }

    /** A row, {@code OLD} or {@code NEW}, or a column of it. */
    private boolean isRow(int end) {
        if (!takes('.')) {
            return !is('(');
        }
        boolean understood =
                at < end && (isName(tokens.get(at)) || tokens.get(at).isSymbol('*'));
        at++;
        return understood && !is('.') && !is('(');
    }

    private static boolean isClock(Token token) {
        return token.kind() == Token.Kind.WORD && CLOCKS.contains(token.text().toLowerCase(Locale.ROOT));
    }

    private static boolean isName(Token token) {
        return token.kind() == Token.Kind.WORD || token.kind() == Token.Kind.QUOTED_IDENTIFIER;
    }

    private int depth() {
        return at < tokens.size() ? tokens.get(at).depth() : 0;
    }

    private int next(char symbol) {
        int next = at;
        while (next < tokens.size() && !tokens.get(next).isSymbol(symbol)) {
            next++;
        }
        return next;
    }

    private boolean is(String word) {
        return at < tokens.size() && tokens.get(at).is(word);
    }

    private boolean is(char symbol) {
        return at < tokens.size() && tokens.get(at).isSymbol(symbol);
    }

    private boolean takes(String word) {
        boolean taken = is(word);
        at += taken ? 1 : 0;
        return taken;
    }

    private boolean takes(char symbol) {
        boolean taken = is(symbol);
        at += taken ? 1 : 0;
        return taken;
    }
}
