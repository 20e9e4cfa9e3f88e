package io.txn.client.jdbc.sql;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Understands transaction control that is sent as SQL, in its plain forms only. */
final class ControlPlanner {

    /** Settings that say how long a session waits or works, how it plans, and what it is called. */
    static final Set<String> LIMITS = Set.of(
            "LOCK_TIMEOUT",
            "STATEMENT_TIMEOUT",
            "IDLE_IN_TRANSACTION_SESSION_TIMEOUT",
            "TRANSACTION_TIMEOUT",
            "WORK_MEM",
            "TEMP_BUFFERS",
            "JIT",
            "ENABLE_SEQSCAN",
            "ENABLE_NESTLOOP",
            "ENABLE_HASHJOIN",
            "RANDOM_PAGE_COST",
            "MAX_PARALLEL_WORKERS_PER_GATHER",
            "APPLICATION_NAME",
            "INNODB_LOCK_WAIT_TIMEOUT",
            "LOCK_WAIT_TIMEOUT",
            "MAX_STATEMENT_TIME");

    private ControlPlanner() {}

    /** Null when it is none, or not in a plain form. */
    static @Nullable Plan plan(StatementText text) throws NotUnderstood {
        List<String> words = new ArrayList<>();
        for (Token token : text.tokens()) {
            words.add(token.text().toUpperCase(Locale.ROOT));
        }
        int last = words.size() - 1;
        String name = Identifier.of(text.token(last).text()).text();
        String before = String.join(" ", words.subList(0, last));
        switch (String.join(" ", words)) {
            case "BEGIN", "BEGIN WORK", "BEGIN TRANSACTION", "START TRANSACTION" -> {
                return new Plan.Control(Plan.Word.BEGIN, "");
            }
            case "COMMIT", "COMMIT WORK", "COMMIT TRANSACTION" -> {
                return new Plan.Control(Plan.Word.COMMIT, "");
            }
            case "ROLLBACK", "ROLLBACK WORK", "ROLLBACK TRANSACTION" -> {
                return new Plan.Control(Plan.Word.ROLLBACK, "");
            }
            case "SET AUTOCOMMIT = 1", "SET AUTOCOMMIT = ON", "SET AUTOCOMMIT ON", "SET AUTOCOMMIT TRUE" -> {
                return new Plan.Control(Plan.Word.AUTO_COMMIT_ON, "");
            }
            case "SET AUTOCOMMIT = 0", "SET AUTOCOMMIT = OFF", "SET AUTOCOMMIT OFF", "SET AUTOCOMMIT FALSE" -> {
                return new Plan.Control(Plan.Word.AUTO_COMMIT_OFF, "");
            }
            default -> {}
        }
        if (setsWhatConcernsNobodyElse(text)) {
            return new Plan.Read();
        }
        if (!text.isName(last)) {
            return null;
        }
        if (before.startsWith("SET CONSTRAINTS ")) {
            return constraints(text, words.get(last));
        }
        return switch (before) {
            case "SAVEPOINT" -> new Plan.Control(Plan.Word.SAVEPOINT, name);
            case "ROLLBACK TO", "ROLLBACK TO SAVEPOINT", "ROLLBACK WORK TO", "ROLLBACK WORK TO SAVEPOINT" ->
                new Plan.Control(Plan.Word.ROLLBACK_TO, name);
            case "RELEASE SAVEPOINT" -> new Plan.Control(Plan.Word.RELEASE, name);
            case "SET TRANSACTION ISOLATION LEVEL",
                    "SET TRANSACTION ISOLATION LEVEL READ",
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE" -> new Plan.OnceIsolated();
            case "SET SESSION TRANSACTION ISOLATION LEVEL",
                    "SET SESSION TRANSACTION ISOLATION LEVEL READ",
                    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE" -> new Plan.Read();
            default -> null;
        };
    }

    /** {@code SET CONSTRAINTS ALL | name, … DEFERRED | IMMEDIATE}. */
    private static @Nullable Plan constraints(StatementText text, String when) {
        if (when.equals("IMMEDIATE")) {
            return new Plan.Read();
        }
        int last = text.size() - 1;
        if (!when.equals("DEFERRED")) {
            return null;
        }
        if (last == 3 && text.is(2, "ALL")) {
            return new Plan.Deferring(List.of());
        }
        List<String> names = new ArrayList<>();
        for (int[] part : text.commaSeparated(2, last)) {
            if (part[0] == part[1] || !text.isName(part[1] - 1)) {
                return null;
            }
            names.add(Identifier.of(text.token(part[1] - 1).text()).text());
        }
        return new Plan.Deferring(names);
    }

    /** {@code SET @name = …, …} of MySQL, and {@code SET [LOCAL | SESSION] name = value} of settings that change no row and no way to read or write one. */
    private static boolean setsWhatConcernsNobodyElse(StatementText text) throws NotUnderstood {
        if (!text.is(0, "SET") || text.size() < 4) {
            return false;
        }
        if (text.isSymbol(1, '@')) {
            new ReadPlanner(text).lockClause(); // which is within a sub-query, and so refused
            return text.syntax().backticks()
                    && !ReadCheck.mayWrite(text.tokens())
                    && text.commaSeparated(1, text.size()).stream()
                            .allMatch(part -> part[1] - part[0] > 3
                                    && text.isSymbol(part[0], '@')
                                    && text.isName(part[0] + 1)
                                    && (text.isSymbol(part[0] + 2, '=')
                                            || text.isSymbol(part[0] + 2, ':') && text.isSymbol(part[0] + 3, '=')));
        }
        int name = text.is(1, "LOCAL") || text.is(1, "SESSION") ? 2 : 1;
        boolean plain = text.size() == name + 3
                && (text.isSymbol(name + 1, '=') || text.is(name + 1, "TO"))
                && text.token(name + 2).kind() != Token.Kind.SYMBOL
                && text.token(name + 2).kind() != Token.Kind.PARAMETER;
        return plain && LIMITS.contains(text.upper(name));
    }
}
