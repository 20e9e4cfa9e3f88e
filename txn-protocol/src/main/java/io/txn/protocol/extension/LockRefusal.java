package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why somebody did not get rows, and who has them, as head fields of the answer.
 *
 * @param code LOCK_CONFLICT, LOCK_CONFLICT_ROLLING_BACK, LOCK_DEADLOCK, LOCK_WAIT_OVER or LOCK_WAIT_REFUSED
 * @param row one of the rows, as {@code table:key}
 * @param holderXid the global transaction that holds it
 * @param holderName what its initiator called it, usually the annotated method
 * @param holderApplication the application that began it
 * @param holderAgeMillis how long ago that was
 * @param holderState what it is doing
 * @param deadlock who waits for whom, in words; null but for LOCK_DEADLOCK
 */
public record LockRefusal(
        ErrorCode code,
        String row,
        String holderXid,
        String holderName,
        String holderApplication,
        long holderAgeMillis,
        String holderState,
        @Nullable String deadlock) {

    private static final int TEXT_MAX = 1_000;
    private static final int DEADLOCK_MAX = 4_000;

    /** The fields. Long texts are cut. */
    public Map<String, @Nullable String> head() {
        Map<String, @Nullable String> head = new LinkedHashMap<>();
        head.put("lock-refusal", code.id());
        head.put("row", cut(row, TEXT_MAX));
        head.put("holder-xid", cut(holderXid, TEXT_MAX));
        head.put("holder-name", cut(holderName, TEXT_MAX));
        head.put("holder-application", cut(holderApplication, TEXT_MAX));
        head.put("holder-age", Long.toString(holderAgeMillis));
        head.put("holder-state", holderState);
        if (deadlock != null) {
            head.put("deadlock", cut(deadlock, DEADLOCK_MAX));
        }
        return head;
    }

    private static String cut(String text, int most) {
        return text.length() <= most ? text : text.substring(0, most - 1) + '…';
    }

    /** What the head of an answer says, or null when it says nothing of the kind. A code of a later version is a LOCK_CONFLICT. */
    public static @Nullable LockRefusal read(Map<String, @Nullable String> head) {
        String id = head.get("lock-refusal");
        if (id == null) {
            return null;
        }
        ErrorCode code = ErrorCode.LOCK_CONFLICT;
        for (ErrorCode known : ErrorCode.values()) {
            if (known.id().equals(id)) {
                code = known;
            }
        }
        String age = text(head, "holder-age");
        return new LockRefusal(
                code,
                text(head, "row"),
                text(head, "holder-xid"),
                text(head, "holder-name"),
                text(head, "holder-application"),
                age.matches("\\d{1,18}") ? Long.parseLong(age) : 0,
                text(head, "holder-state"),
                head.get("deadlock"));
    }

    private static String text(Map<String, @Nullable String> head, String field) {
        String text = head.get(field);
        return text == null ? "" : text;
    }
}
