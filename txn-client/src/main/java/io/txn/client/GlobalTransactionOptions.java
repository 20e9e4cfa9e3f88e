package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.OnSwallowed;
import io.txn.protocol.TxnException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a global transaction should be like. Immutable; start from {@link #named}.
 *
 * @param name what operators see; 1 to 128 characters
 * @param timeout after which the coordinator rolls it back; whole milliseconds, at most 24 days
 * @param propagation what to do with a surrounding one
 * @param rules which exceptions roll it back
 * @param isolation what plain reads in its scope may show of other global transactions
 * @param onSwallowed what becomes of it when work for it failed, and somebody caught the failure on its way here
 * @param onUnfinished what becomes of it when work for it still runs on other threads at the end
 * @param idempotencyKey by what a repeated request is known, where this opens a transaction; null: none is
 * @param mode how local transactions in its scope take part, in this process
 */
public record GlobalTransactionOptions(
        String name,
        Duration timeout,
        Propagation propagation,
        RollbackRules rules,
        Isolation isolation,
        OnSwallowed onSwallowed,
        OnUnfinished onUnfinished,
        @Nullable IdempotencyKey idempotencyKey,
        WorkMode mode) {

    /** How long a global transaction may take when nobody says otherwise. */
    public static final String TIMEOUT = "PT60S";

    /** Longer names do not help an operator, and have no room in other products' tables. */
    public static final int NAME_MAX = 128;

    public GlobalTransactionOptions {
        if (name.isBlank() || name.getBytes(StandardCharsets.UTF_8).length > NAME_MAX) {
            throw invalid("name", name, "a transaction's name has 1 to " + NAME_MAX + " bytes");
        }
        if (mode == WorkMode.OWN) {
            throw invalid(
                    "mode",
                    mode,
                    "what is done by own hand is undone by an action's end: see @TccAction and @SagaAction");
        }
        if (timeout.compareTo(Duration.ofMillis(1)) < 0
                || timeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) > 0) {
            throw invalid("timeout", timeout, "a timeout lies between one millisecond and 24 days");
        }
    }

    /** Required, with the default timeout, rolled back by every exception. */
    public static GlobalTransactionOptions named(String name) {
        return new GlobalTransactionOptions(
                name,
                Duration.parse(TIMEOUT),
                Propagation.REQUIRED,
                RollbackRules.ALL,
                Isolation.DEFAULT,
                OnSwallowed.ROLLBACK,
                OnUnfinished.WAIT,
                null,
                WorkMode.AS_CONFIGURED);
    }

    public GlobalTransactionOptions withTimeout(Duration newTimeout) {
        return new GlobalTransactionOptions(
                name, newTimeout, propagation, rules, isolation, onSwallowed, onUnfinished, idempotencyKey, mode);
    }

    public GlobalTransactionOptions withPropagation(Propagation newPropagation) {
        return new GlobalTransactionOptions(
                name, timeout, newPropagation, rules, isolation, onSwallowed, onUnfinished, idempotencyKey, mode);
    }

    public GlobalTransactionOptions withRules(RollbackRules newRules) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, newRules, isolation, onSwallowed, onUnfinished, idempotencyKey, mode);
    }

    public GlobalTransactionOptions withIsolation(Isolation newIsolation) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, rules, newIsolation, onSwallowed, onUnfinished, idempotencyKey, mode);
    }

    public GlobalTransactionOptions withOnSwallowed(OnSwallowed newOnSwallowed) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, rules, isolation, newOnSwallowed, onUnfinished, idempotencyKey, mode);
    }

    public GlobalTransactionOptions withOnUnfinished(OnUnfinished newOnUnfinished) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, rules, isolation, onSwallowed, newOnUnfinished, idempotencyKey, mode);
    }

    /** How local transactions in its scope take part, in this process. */
    public GlobalTransactionOptions withMode(WorkMode newMode) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, rules, isolation, onSwallowed, onUnfinished, idempotencyKey, newMode);
    }

    /** The key is one request's: these options are, too. */
    public GlobalTransactionOptions withIdempotencyKey(@Nullable IdempotencyKey newKey) {
        return new GlobalTransactionOptions(
                name, timeout, propagation, rules, isolation, onSwallowed, onUnfinished, newKey, mode);
    }

    private static TxnException invalid(String key, Object value, String problem) {
        return new TxnException(ErrorCode.BAD_CONFIGURATION, null, key, value, "problem", problem);
    }
}
