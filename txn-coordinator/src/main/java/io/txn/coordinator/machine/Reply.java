package io.txn.coordinator.machine;

import io.txn.coordinator.lock.LockKeys;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the one who gave a {@link Command} is told, once what it rests on is durable. */
public sealed interface Reply {

    record Begun(Xid xid) implements Reply {}

    /** A request with this key came before: nothing was begun. */
    record KeyTaken(RequestKeys.Entry first) implements Reply {}

    record Registered(long branch) implements Reply {}

    /** Ids were lent, one after the other, beginning with that of {@code first}. */
    record Leased(Xid first, int count) implements Reply {}

    /**
     * A row is held by another transaction; nothing was registered.
     *
     * @param holder the transaction that holds it
     * @param holderAge how long ago that one began, in milliseconds
     * @param why why the caller does not wait, or not any longer
     * @param cycle for {@link Why#DEADLOCK}: who waits for whom, in words
     */
    record LockConflict(
            String resource,
            LockKeys.Row row,
            GlobalTransaction holder,
            long branch,
            long holderAge,
            Why why,
            @Nullable String cycle)
            implements Reply {

        /** Whether the holder is rolling back and needs the local row locks that the caller holds. */
        public boolean failFast() {
            return why == Why.HOLDER_ROLLS_BACK;
        }

        /** The same conflict, not waited out for another reason. */
        public LockConflict because(Why other, @Nullable String words) {
            return new LockConflict(resource, row, holder, branch, holderAge, other, words);
        }
    }

    /** Why somebody who wants a row does not wait for it any longer. */
    enum Why {
        /** The row is held, and the caller did not say that it would wait, or there is no room for more who wait. */
        HELD,
        /** The holder needs for its undo what the caller holds in its database. */
        HOLDER_ROLLS_BACK,
        /** The time is over for which the caller would wait. */
        WAIT_OVER,
        /** The caller and others wait for each other in a circle. */
        DEADLOCK,
        /** The coordinator stops. */
        STOPPING
    }

    record Reported() implements Reply {}

    /** This command decided; {@code pass} tells how far the branches are. */
    record Decided(GlobalTransaction transaction, Pass pass) implements Reply {}

    /** Somebody else decided before, or the command decides nothing; this is what is. */
    record Known(GlobalTransaction transaction) implements Reply {}

    /** The commit that was asked for is refused because of a mark, and the transaction is being rolled back. */
    record Marked(GlobalTransaction transaction) implements Reply {}

    /** The command came after the deadline: the transaction is being rolled back. */
    record Expired(GlobalTransaction transaction) implements Reply {}

    /** Too late to join. */
    record NotActive(GlobalTransaction transaction) implements Reply {}

    record TransactionUnknown(@Nullable Xid xid) implements Reply {}

    record BranchUnknown(long branch) implements Reply {}

    record Lockable(boolean lockable) implements Reply {}

    /** Whether the branch is still to be undone. */
    record UndoWanted(boolean wanted) implements Reply {}

    /** An operator's command was accepted. */
    record Accepted() implements Reply {}

    /** An operator's command does not fit the state. */
    record Unfit(String why) implements Reply {}

    /** Refused or failed for a reason outside the transaction; nothing was changed, unless the code's category says that this is unknown. */
    record Rejected(ErrorCode code, Map<String, Object> facts) implements Reply {

        public static Rejected of(ErrorCode code, Object... facts) {
            return new Rejected(code, TxnException.asMap(facts));
        }

        /** The same as an exception. */
        public TxnException exception() {
            Object[] pairs = facts.entrySet().stream()
                    .flatMap(fact -> Stream.of(fact.getKey(), fact.getValue()))
                    .toArray();
            return new TxnException(code, null, pairs);
        }

        /** The text that users read. */
        public String text() {
            return TxnException.text(code, facts);
        }
    }

    /** How far the first pass of phase two came. */
    enum Pass {
        /** Everything that the initiator waits for is done. */
        DONE,
        /** A branch could not yet. */
        RETRYING,
        /** A branch could not be reached. */
        UNREACHABLE,
        /** A branch never will. */
        STUCK
    }
}
