package io.txn.spring.autoconfigure;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/** The same for a bean that need not be there. */
record ProvidedIfAny<T>(ObjectProvider<T> bean) implements Supplier<@Nullable T> {

    @Override
    public @Nullable T get() {
        return bean.getIfAvailable();
    }
}
