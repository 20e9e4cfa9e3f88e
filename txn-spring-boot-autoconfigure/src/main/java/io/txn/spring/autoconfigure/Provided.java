package io.txn.spring.autoconfigure;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/**
 * A bean for those who know no bean factory, looked up when it is first wanted. One class for all of them, where a lambda each would be a class each that a start has to make. Thread-safe.
 */
final class Provided<T> implements Supplier<T> {

    private final ObjectProvider<T> bean;
    private volatile @Nullable T found;

    Provided(ObjectProvider<T> bean) {
        this.bean = bean;
    }

    @Override
    public T get() {
        T known = found;
        if (known == null) {
            known = bean.getObject();
            found = known;
        }
        return known;
    }
}
