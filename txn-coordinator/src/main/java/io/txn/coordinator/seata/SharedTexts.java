package io.txn.coordinator.seata;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** One instance of each text that many transactions carry: names, resources, short application data. Bounded; thread-safe. */
final class SharedTexts {

    private static final int MAX_TEXTS = 20_000;
    private static final int MAX_LENGTH = 300;

    private final ConcurrentMap<String, String> texts = new ConcurrentHashMap<>();

    /** The known instance of {@code text}, or {@code text} itself when it is long or there are many already. */
    String share(String text) {
        if (text.length() > MAX_LENGTH) {
            return text;
        }
        String known = texts.get(text);
        if (known != null) {
            return known;
        }
        if (texts.size() < MAX_TEXTS) {
            texts.put(text, text);
        }
        return text;
    }
}
