package io.txn.spring;

import io.txn.client.LockGuard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What the {@link GlobalLock} annotations of methods ask for, read once each. Thread-safe. */
public final class GlobalLockOptions {

    private final Map<Key, LockGuard> known = new ConcurrentHashMap<>();
    private final UnaryOperator<@Nullable String> placeholders;

    /** @param placeholders resolves <code>${…}</code> in a duration */
    public GlobalLockOptions(UnaryOperator<@Nullable String> placeholders) {
        this.placeholders = placeholders;
    }

    /**
     * The guard of {@code method} when it is called on a {@code target}: that of the method, else that of its class.
     *
     * @throws TxnException {@link ErrorCode#BAD_CONFIGURATION} when the annotation says something impossible
     */
    public LockGuard of(Method method, Class<?> target) {
        return known.computeIfAbsent(new Key(method, target), this::read);
    }

    private LockGuard read(Key key) {
        GlobalLock annotation = Annotated.find(key.method, key.target, GlobalLock.class);
        try {
            String text = annotation.lockWait();
            String resolved = text.isEmpty() ? null : placeholders.apply(text);
            return resolved == null || resolved.isEmpty()
                    ? LockGuard.DEFAULT
                    : new LockGuard(Annotated.duration("lockWait", resolved));
        } catch (TxnException e) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, e, "annotation", "@GlobalLock on " + key.method);
        }
    }

    private record Key(Method method, Class<?> target) {}
}
