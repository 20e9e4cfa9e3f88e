package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Ids that a coordinator lends, so that a client can name transactions and branches before the coordinator hears of them. Head fields: a begin or a branch
 * registration asks for ids, its answer lends a range of them; a later one names the branch, or the transaction, by one of them. Of a transaction that its coordinator
 * may not know yet, a registration carries what a begin would say.
 *
 * @param first the transaction that the first id of the range would be
 * @param count how many ids, one after the other
 */
public record IdLease(Xid first, int count) {

    /** More are not lent at once. */
    public static final int MAX = 10_000;

    private static final String WANTED = "lease-ids";
    private static final String LENT = "leased-ids";
    private static final String BRANCH = "branch-id";
    private static final String XID = "begin-xid";
    private static final String NAME = "begin-name";
    private static final String TIMEOUT = "begin-timeout";

    /** A transaction that is to be begun unless it is there, at the latest by the first request about it. */
    public record Beginning(String name, int timeoutMillis) {}

    /** The id with this place in the range, from 0 on. */
    public long id(int place) {
        return first.number() + place;
    }

    // Asking and lending

    /** Asks for ids with whatever the frame asks; none when {@code count} is 0. */
    public static void ask(int count, Map<String, @Nullable String> head) {
        if (count > 0) {
            head.put(WANTED, Integer.toString(count));
        }
    }

    /**
     * How many are asked for, at most {@link #MAX}; 0 when none are.
     *
     * @throws TxnException BAD_REQUEST when the field holds no number
     */
    public static int asked(Map<String, @Nullable String> head) {
        return (int) Math.min(MAX, number(WANTED, head));
    }

    /** Lends this range. */
    public void lend(Map<String, @Nullable String> head) {
        head.put(LENT, first.value() + '/' + count);
    }

    /** The range that is lent, or null when there is none; what is of no form counts as none, for it is only a help. */
    public static @Nullable IdLease lent(Map<String, @Nullable String> head) {
        String text = head.get(LENT);
        int slash = text == null ? -1 : text.lastIndexOf('/');
        if (text == null || slash < 0 || !text.substring(slash + 1).matches("[1-9]\\d{0,4}")) {
            return null;
        }
        try {
            IdLease lease = new IdLease(new Xid(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
            boolean sound = lease.count <= MAX && lease.first.number() > 0 && lease.id(lease.count) > 0;
            return sound ? lease : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    // Using

    /** Names the branch that is to be registered. */
    public static void nameBranch(long id, Map<String, @Nullable String> head) {
        head.put(BRANCH, Long.toString(id));
    }

    /**
     * The id that the branch is to have, 0 when the coordinator chooses.
     *
     * @throws TxnException BAD_REQUEST
     */
    public static long branch(Map<String, @Nullable String> head) {
        return number(BRANCH, head);
    }

    /** Names the transaction that is to be begun. */
    public static void nameTransaction(Xid xid, Map<String, @Nullable String> head) {
        head.put(XID, xid.value());
    }

    /**
     * The transaction that a begin names, or null.
     *
     * @throws TxnException BAD_REQUEST when it is no XID
     */
    public static @Nullable Xid transaction(Map<String, @Nullable String> head) {
        String text = head.get(XID);
        try {
            return text == null ? null : new Xid(text);
        } catch (IllegalArgumentException e) {
            throw new TxnException(ErrorCode.BAD_REQUEST, e, "field", XID);
        }
    }

    /** Has the transaction begun before the branch is registered, unless it is there. */
    public static void begin(Beginning beginning, Map<String, @Nullable String> head) {
        head.put(NAME, beginning.name());
        head.put(TIMEOUT, Integer.toString(beginning.timeoutMillis()));
    }

    /**
     * How the transaction of a registration is to be begun; null when it is there already.
     *
     * @throws TxnException BAD_REQUEST
     */
    public static @Nullable Beginning beginning(Map<String, @Nullable String> head) {
        String name = head.get(NAME);
        if (name == null) {
            return null;
        }
        long timeout = number(TIMEOUT, head);
        if (timeout < 1 || timeout > Integer.MAX_VALUE) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", TIMEOUT);
        }
        return new Beginning(name, (int) timeout);
    }

    private static long number(String field, Map<String, @Nullable String> head) {
        String text = head.get(field);
        if (text == null) {
            return 0;
        }
        if (!text.matches("[1-9]\\d{0,18}")) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", field);
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new TxnException(ErrorCode.BAD_REQUEST, e, "field", field);
        }
    }
}
