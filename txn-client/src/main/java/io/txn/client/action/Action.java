package io.txn.client.action;

import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceTransaction;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.BranchPolicy;
import java.lang.reflect.Type;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A declared action: what it captures, what keeps it from happening twice, and how it ends. Immutable and thread-safe, as far as its ends are. */
public final class Action {

    private final String name;
    private final BranchType type;
    private final ActionValues values;
    private final boolean keepsResult;
    private final Fencing fencing;
    private final @Nullable Fenced fenced;
    private final Ends ends;
    private final @Nullable BranchPolicy policy;

    /** A value that is captured under a name. */
    public record Captured(String key, Type type) {}

    /**
     * The fence of an action, and the local transactions of its phases.
     */
    public record Fenced(Fence fence, FenceTransaction first, FenceTransaction confirm, FenceTransaction cancel) {}

    /** How an action ends. Called by several threads at once, for different branches. */
    public interface Ends {

        /**
         * Makes the action final.
         *
         * @return whether it did; false asks for another call later
         */
        boolean confirm(ActionContext context, List<?> captured) throws Throwable;

        /**
         * Undoes the action.
         *
         * @param result what the action returned, if it is kept and the action had come so far
         * @return whether it did; false asks for another call later
         */
        boolean cancel(ActionContext context, List<?> captured, @Nullable Object result) throws Throwable;
    }

    private Action(
            String name,
            BranchType type,
            List<Captured> captured,
            @Nullable Type result,
            Fencing fencing,
            @Nullable Fenced fenced,
            Ends ends) {
        this(name, type, new ActionValues(name, captured, result), result != null, fencing, fenced, ends, null);
        // A resource id: commas separate them on the wire.
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}")) {
            throw new TxnException(
                    ErrorCode.ACTION_MISDECLARED,
                    null,
                    "action",
                    name,
                    "problem",
                    "a name has 1 to 100 letters, digits and . _ : / # -, and begins with a letter or digit");
        }
        if ((fenced == null) != (fencing == Fencing.NONE)) {
            throw new IllegalArgumentException("a fence is given exactly where one is wanted");
        }
    }

    private Action(
            String name,
            BranchType type,
            ActionValues values,
            boolean keepsResult,
            Fencing fencing,
            @Nullable Fenced fenced,
            Ends ends,
            @Nullable BranchPolicy policy) {
        this.name = name;
        this.type = type;
        this.values = values;
        this.keepsResult = keepsResult;
        this.fencing = fencing;
        this.fenced = fenced;
        this.ends = ends;
        this.policy = policy;
    }

    /**
     * The same, whose ends are called so long and so often. How long they may take in their databases is their {@link FenceTransaction}'s business.
     *
     * @param wanted null for as the coordinator is configured
     */
    public Action withPolicy(@Nullable BranchPolicy wanted) {
        return new Action(name, type, values, keepsResult, fencing, fenced, ends, wanted);
    }

    @Nullable
    BranchPolicy policy() {
        return policy;
    }

    /**
     * Try, confirm and cancel.
     *
     * @param name stable: branches of an earlier run are found by it
     * @param fenced null exactly for {@link Fencing#NONE}
     */
    public static Action tcc(
            String name, List<Captured> captured, Fencing fencing, @Nullable Fenced fenced, Ends ends) {
        return new Action(name, BranchType.TCC, captured, null, fencing, fenced, ends);
    }

    /**
     * A step of a saga: an action that is undone by a compensation, and needs no confirm.
     *
     * @param name stable: branches of an earlier run are found by it
     * @param result the type of the action's result, when the compensation wants it; else null
     * @param fenced null exactly for {@link Fencing#NONE}
     */
    public static Action saga(
            String name,
            List<Captured> captured,
            @Nullable Type result,
            Fencing fencing,
            @Nullable Fenced fenced,
            Ends ends) {
        return new Action(name, BranchType.SAGA_ANNOTATION, captured, result, fencing, fenced, ends);
    }

    public String name() {
        return name;
    }

    public BranchType type() {
        return type;
    }

    public Fencing fencing() {
        return fencing;
    }

    ActionValues values() {
        return values;
    }

    boolean keepsResult() {
        return keepsResult;
    }

    @Nullable
    Fenced fenced() {
        return fenced;
    }

    Ends ends() {
        return ends;
    }

    @Override
    public String toString() {
        return type + " action " + name;
    }
}
