package io.txn.protocol.extension;

import java.time.Duration;
import java.util.Map;

/**
 * Whether a branch is still to be undone, asked right before its undo commits: a process may have stood still meanwhile, and an operator may have given the branch
 * up. The question is a head field of a status request, the branch's id in decimal digits; the answer is one of the answer's. Whoever is told yes commits at once;
 * for {@link #HOLDS} the branch is not given up.
 */
public final class UndoConfirmation {

    /** How long a confirmed undo counts as being under way. */
    public static final Duration HOLDS = Duration.ofSeconds(15);

    /**
     * How long an undo whose process stands still can still commit. Its database ends the transaction then, so that nothing of it is left when the branch can be
     * given up again; H2 has no such limit, and there an answer that took longer counts as none, which leaves the moment between that look and the commit.
     */
    public static final Duration STANDS_STILL = Duration.ofSeconds(10);

    /** How long an undo whose process stands still before that question keeps its row locks, where the database limits that: a large undo may compute for long between its statements. */
    public static final Duration STANDS_STILL_BEFORE = Duration.ofSeconds(60);

    private static final String BRANCH = "undo-of";
    private static final String CONFIRMED = "undo-confirmed";

    private UndoConfirmation() {}

    /** The head of a question. */
    public static Map<String, String> question(long branch) {
        return Map.of(BRANCH, Long.toString(branch));
    }

    /** The branch that a request asks about; 0 for none. */
    public static long branch(Map<String, String> head) {
        String text = head.get(BRANCH);
        return text != null && text.matches("[1-9][0-9]{0,18}") ? parsed(text) : 0;
    }

    private static long parsed(String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            return 0; // more than 63 bits
        }
    }

    /** The head of an answer. */
    public static Map<String, String> answer(boolean confirmed) {
        return Map.of(CONFIRMED, Boolean.toString(confirmed));
    }

    /** What an answer says; what does not say so confirms nothing. */
    public static boolean confirmed(Map<String, String> head) {
        return "true".equals(head.get(CONFIRMED));
    }
}
