package io.txn.client;

import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;

/**
 * Makes a text of what a method returned, and a result of the text, as the type that the method declares: never as one that the text names. Thread-safe. Both
 * methods throw any {@link RuntimeException} when they cannot.
 */
public interface ResultCodec {

    String encode(@Nullable Object result, Type declared);

    @Nullable
    Object decode(String text, Type declared);
}
