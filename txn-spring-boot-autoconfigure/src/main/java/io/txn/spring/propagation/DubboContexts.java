package io.txn.spring.propagation;

import io.txn.client.ContextCarrier;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the filters of Dubbo need of the application: Dubbo makes them itself, and sets this bean from the application's context. Without one they do nothing.
 *
 * @param contexts binds transactions to threads
 * @param outgoing what calls carry; null when they shall carry nothing
 * @param incoming what arrives; null when nothing shall be taken over
 */
public record DubboContexts(
        ContextCarrier contexts,
        @Nullable Outgoing outgoing,
        @Nullable Incoming incoming) {

    /** An attachment by its name, else by that in lower case: what goes over HTTP/2 loses its capitals. */
    static @Nullable String attachment(Function<String, @Nullable Object> attachments, String name) {
        return Stream.of(name, name.toLowerCase(Locale.ROOT))
                .map(attachments)
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .findFirst()
                .orElse(null);
    }

    static List<String> values(Function<String, @Nullable Object> attachments, String name) {
        String value = attachment(attachments, name);
        return value == null ? List.of() : List.of(value);
    }
}
