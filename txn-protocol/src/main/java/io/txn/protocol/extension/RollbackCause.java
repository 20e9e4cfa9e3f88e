package io.txn.protocol.extension;

import io.txn.protocol.LogText;
import io.txn.protocol.OnSwallowed;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a global transaction is not committed, in head fields. A report about a transaction marks it: it may only be rolled back. A commit says what is to
 * become of a marked one, a rollback why it is asked for. What is not of its form is taken for what is said without it: nobody's decision fails for its reason.
 */
public final class RollbackCause {

    /** Longer causes are cut. */
    public static final int LONGEST = 500;

    private static final String MARK = "rollback-only";
    private static final String ON_SWALLOWED = "on-swallowed";
    private static final String CAUSE = "rollback-cause";

    private RollbackCause() {}

    /** In one line, and not too long. */
    public static String brief(String cause) {
        String line = LogText.oneLine(cause.strip());
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST - 1) + '…';
    }

    /** The same, with an end that is kept whole: what is too long is cut before it. */
    public static String brief(String cause, String end) {
        int room = Math.max(0, LONGEST - end.length());
        String line = LogText.oneLine(cause.strip());
        return (line.length() <= room ? line : line.substring(0, Math.max(0, room - 1)) + '…') + end;
    }

    /** Has the report mark its transaction. */
    public static void mark(String cause, Map<String, @Nullable String> head) {
        head.put(MARK, brief(cause));
    }

    /** With what a report marks its transaction; null when it does not. */
    public static @Nullable String mark(Map<String, @Nullable String> head) {
        String cause = head.get(MARK);
        return cause == null ? null : brief(cause);
    }

    /** Says what is to become of a marked transaction; nothing when that is the rule. */
    public static void onSwallowed(OnSwallowed wanted, Map<String, @Nullable String> head) {
        if (wanted != OnSwallowed.ROLLBACK) {
            head.put(ON_SWALLOWED, wanted == OnSwallowed.WARN ? "warn" : "ignore");
        }
    }

    /** What a commit wants to become of a marked transaction. */
    public static OnSwallowed onSwallowed(Map<String, @Nullable String> head) {
        String word = head.get(ON_SWALLOWED);
        return "warn".equals(word)
                ? OnSwallowed.WARN
                : "ignore".equals(word) ? OnSwallowed.IGNORE : OnSwallowed.ROLLBACK;
    }

    /** Says why the rollback is asked for. */
    public static void cause(String cause, Map<String, @Nullable String> head) {
        head.put(CAUSE, brief(cause));
    }

    /** Why a rollback is asked for, or null. */
    public static @Nullable String cause(Map<String, @Nullable String> head) {
        String cause = head.get(CAUSE);
        return cause == null ? null : brief(cause);
    }
}
