package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Makes a {@link Plan} of one SQL text. The tokens ({@link StatementText}) say where the pieces are, and every piece is cut out of the original
 * text; the parser says whether the statement is what the tokens make of it. What only one of them understands is refused. The first word decides
 * who plans: each kind of statement has a planner of its own.
 */
final class Planner {

    private static final Set<String> HARMLESS =
            Set.of("SELECT", "WITH", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN");

    private Planner() {}

    static Plan plan(String sql, SqlSyntax syntax) {
        try {
            return plan(StatementText.of(sql, syntax));
        } catch (NotUnderstood e) {
            return e.refused();
        }
    }

    /** A {@link Plan.Read}, {@link Plan.LockingRead} or {@link Plan.Refused}. */
    static Plan committedRead(String sql, SqlSyntax syntax) {
        try {
            return new ReadPlanner(StatementText.of(sql, syntax)).committed();
        } catch (NotUnderstood e) {
            return e.refused();
        }
    }

    private static Plan plan(StatementText text) throws NotUnderstood {
        ReadCheck.refuseReachingOurs(text);
        Plan plan = byFirstWord(text);
        List<Integer> settings = ReadCheck.settingsNamedByParameters(text);
        if (settings.isEmpty()) {
            return plan;
        }
        StatementText.refuseUnless(plan instanceof Plan.Read, ReadCheck.SETS, ReadCheck.SET_OTHERWISE);
        return new Plan.Setting(settings);
    }

    private static Plan byFirstWord(StatementText text) throws NotUnderstood {
        Token first = text.token(0);
        String word = first.text().toUpperCase(Locale.ROOT);
        switch (word) {
            case "INSERT", "REPLACE" -> {
                return new InsertPlanner(text, 0).plan();
            }
            case "MERGE" -> {
                return new MergePlanner(text, 0).plan();
            }
            case "WITH" -> {
                return with(text);
            }
            case "UPDATE" -> {
                return new UpdatePlanner(text, 0).plan();
            }
            case "DELETE" -> {
                return new DeletePlanner(text, 0).plan();
            }
            default -> {
                if (HARMLESS.contains(word) || first.isSymbol('(')) {
                    return new ReadPlanner(text).plan();
                }
                if (CallPlanner.understands(text)) {
                    return CallPlanner.plan(text);
                }
                Plan control = ControlPlanner.plan(text);
                if (control != null) {
                    return control;
                }
                throw new NotUnderstood(word + " is not captured", StatementText.OUTSIDE);
            }
        }
    }

    /** What follows a WITH decides. */
    private static Plan with(StatementText text) throws NotUnderstood {
        for (int i = 1; i < text.size(); i++) {
            if (text.token(i).depth() == 0) {
                if (text.is(i, "INSERT") || text.is(i, "REPLACE")) {
                    return new InsertPlanner(text, i).plan();
                }
                if (text.is(i, "MERGE")) {
                    return new MergePlanner(text, i).plan();
                }
                if (text.is(i, "UPDATE")) {
                    return new UpdatePlanner(text, i).plan();
                }
                if (text.is(i, "DELETE")) {
                    return new DeletePlanner(text, i).plan();
                }
                if (text.is(i, "SELECT")) {
                    break;
                }
            }
        }
        return new ReadPlanner(text).plan();
    }
}
