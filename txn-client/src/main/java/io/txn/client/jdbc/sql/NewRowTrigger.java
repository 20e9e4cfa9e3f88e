package io.txn.client.jdbc.sql;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the text of a trigger that runs before each row, for one thing: whether all that it does is to set columns of the new row, and which. Assignments to {@code NEW.column},
 * IF and {@code RETURN NEW} are understood; of expressions those that are made of columns of the two rows, literals, operators and the words below. Nothing of
 * that reads or writes another row, raises an error of its own, swallows a row, or depends on what an application has told its session: the undo fires
 * the trigger in a session that was told nothing. All else is not understood, so that a missing word costs a refusal, and nothing more.
 */
public final class NewRowTrigger {

    /** The words of expressions on every database, beside OLD and NEW with their columns; those before a parenthesis are functions of the database's own. */
    private static final Set<String> WORDS = Set.of(
            // operators
            "and",
            "or",
            "not",
            "is",
            "null",
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
            // types
            "cast",
            "as",
            "date",
            "int",
            "integer",
            "bigint",
            "numeric",
            "varchar",
            "character",
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
            "current_user",
            "session_user",
            "now",
            "current_timestamp",
            "current_date",
            "current_time",
            "localtimestamp",
            "localtime");

    /** Those of PostgreSQL alone: elsewhere, a user may have given one of these names to a function. */
    private static final Set<String> WORDS_OF_POSTGRESQL = Set.of(
            "distinct",
            "from",
            "tg_op",
            "at",
            "time",
            "zone",
            "text",
            "varying",
            "timestamp",
            "timestamptz",
            "with",
            "without",
            "boolean",
            "date_trunc",
            "timezone",
            "gen_random_uuid",
            "transaction_timestamp",
            "statement_timestamp",
            "clock_timestamp");

    /** Likewise. */
    private static final Set<String> WORDS_OF_MYSQL = Set.of("uuid", "utc_timestamp", "sysdate", "curdate", "curtime");

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

    /** Those of them that tell day and time: a TIMESTAMP takes the moment from them, whatever the zone. */
    private static final Set<String> MOMENTS =
            Set.of("now", "sysdate", "current_timestamp", "localtimestamp", "localtime");

    private static final String SYMBOLS = "().,+-*/<>=|!:";

    private final List<Token> tokens;
    private final boolean plpgsql;
    private final Map<String, Boolean> columns;
    private final Set<Identifier> sets = new LinkedHashSet<>();
    private int at;

    private NewRowTrigger(List<Token> tokens, boolean plpgsql, Map<String, Boolean> columns) {
        this.tokens = tokens;
        this.plpgsql = plpgsql;
        this.columns = columns;
    }

    /**
     * The columns that a trigger of MySQL's family sets.
     *
     * @param text its one statement
     * @param columns by name, in lower case, whether a column is a TIMESTAMP, which shows another value to a session in another time zone, and takes another one from what is
     *     written into it; a text that names others, such as generated ones, is not understood
     * @return null when it may do more than set them, when what it does may depend on the session's time zone, or when it is not understood
     */
    public static @Nullable Set<Identifier> ofMySql(String text, Map<String, Boolean> columns) {
        // What either of these means is settled by the sql_mode with which the trigger was made.
        if (text.indexOf('"') >= 0) {
            return null;
        }
        NewRowTrigger read = read(text, SqlSyntax.MYSQL, false, columns);
        return read != null && read.isBody() ? Set.copyOf(read.sets) : null;
    }

    /**
     * The columns that a trigger in PL/pgSQL sets.
     *
     * @param text that of its function
     * @param condition on which it fires; empty for none
     * @return null when it may do more than set them, or is not understood
     */
    public static @Nullable Set<Identifier> ofPlpgsql(String text, String condition) {
        NewRowTrigger when = read(condition, SqlSyntax.POSTGRESQL, true, Map.of());
        if (when == null || !when.isExpression(when.tokens.size())) {
            return null;
        }
        NewRowTrigger read = read(text, SqlSyntax.POSTGRESQL, true, Map.of());
        return read != null && read.isBody() ? Set.copyOf(read.sets) : null;
    }

    private static @Nullable NewRowTrigger read(
            String text, SqlSyntax syntax, boolean plpgsql, Map<String, Boolean> columns) {
        if (text.indexOf('\\') >= 0) {
            return null; // it ends a literal or not, as a setting says
        }
        try {
            return new NewRowTrigger(Lexer.tokens(text, syntax), plpgsql, columns);
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

    /**
     * Whether it comes out the same in each time zone, too. A CASE would have a THEN of its own, at which what follows could not be what it is taken for.
     */
    private boolean isCondition() {
        int end = at;
        while (end < tokens.size() && !tokens.get(end).is("THEN")) {
            if (tokens.get(end).is("CASE") || tokens.get(end).isSymbol(';')) {
                return false;
            }
            if (!plpgsql && (isClock(tokens.get(end)) || isZoned(end) && !isOnlyAskedForNull(end))) {
                return false;
            }
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
        Token column = tokens.get(at);
        at++;
        takes(':');
        if (!takes('=') || at >= end) {
            return false;
        }
        sets.add(Identifier.of(column.text()));
        return (plpgsql || isSameInEachZone(isTimestamp(column), end)) && isExpression(end);
    }

    /** Looks ahead to the end. */
    private boolean isSameInEachZone(boolean intoTimestamp, int end) {
        int begin = at;
        boolean same = true;
        if (intoTimestamp) {
            same = isMoment() && at == end;
        } else {
            for (int i = begin; i < end; i++) {
                same &= !isClock(tokens.get(i)) && !isZoned(i);
            }
        }
        at = begin;
        return same;
    }

    /** Takes what is the same moment in each time zone, once it is in a TIMESTAMP: anything else that goes into it is taken for a time in the session's zone. */
    private boolean isMoment() {
        if (takes("NULL")) {
            return true;
        } else if (takes("COALESCE")) {
            boolean understood = takes('(') && isMoment();
            while (understood && takes(',')) {
                understood = isMoment();
            }
            return understood && takes(')');
        } else if (is("NEW") || is("OLD")) {
            at += 2;
            return isZoned(at++);
        }
        if (at >= tokens.size() || !MOMENTS.contains(tokens.get(at).text().toLowerCase(Locale.ROOT))) {
            return false;
        }
        at++;
        if (takes('(')) {
            at += at < tokens.size() && tokens.get(at).kind() == Token.Kind.NUMBER ? 1 : 0;
            return takes(')');
        }
        return true;
    }

    /** Whether a TIMESTAMP of one of the rows is named there. */
    private boolean isZoned(int place) {
        return place > 0
                && place < tokens.size()
                && tokens.get(place - 1).isSymbol('.')
                && isTimestamp(tokens.get(place));
    }

    private boolean isTimestamp(Token name) {
        return isName(name) && Boolean.TRUE.equals(columns.get(folded(name)));
    }

    private static String folded(Token name) {
        return Identifier.of(name.text()).text().toLowerCase(Locale.ROOT);
    }

    /** {@code NEW.name IS [NOT] NULL} */
    private boolean isOnlyAskedForNull(int name) {
        int is = name + 1;
        int last = is + (is + 1 < tokens.size() && tokens.get(is + 1).is("NOT") ? 2 : 1);
        return last < tokens.size()
                && tokens.get(is).is("IS")
                && tokens.get(last).is("NULL");
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
                        case WORD -> token.is("NEW") || token.is("OLD") ? isRow(end) : isWord(token) && !is('.');
                    };
            if (!understood) {
                return false;
            }
        }
        return true;
    }

    /** With another FROM than that of IS DISTINCT FROM, an expression of PL/pgSQL would be a query. */
    private boolean isWord(Token token) {
        if (token.is("FROM") && !(at > 1 && tokens.get(at - 2).is("DISTINCT"))) {
            return false;
        }
        String word = token.text().toLowerCase(Locale.ROOT);
        return WORDS.contains(word) || (plpgsql ? WORDS_OF_POSTGRESQL : WORDS_OF_MYSQL).contains(word);
    }

    /** A row, {@code OLD} or {@code NEW}, or a column of it. */
    private boolean isRow(int end) {
        if (!takes('.')) {
            return !is('(');
        }
        Token column = at < end ? tokens.get(at) : null;
        boolean understood = column != null
                && (plpgsql
                        ? isName(column) || column.isSymbol('*')
                        : isName(column) && columns.containsKey(folded(column)));
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
