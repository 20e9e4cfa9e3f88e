package io.txn.coordinator.engine;

import java.util.HashMap;
import java.util.Map;

/**
 * Keeps one instance of values that many transactions share: names, resources, clients. Bounded: when it is full it starts anew, which costs
 * memory only. Not thread-safe.
 */
final class Interner {

    private static final int MAX = 65_536;

    private final Map<Object, Object> instances = new HashMap<>();

    @SuppressWarnings("unchecked") // an instance is filed under itself, so it has the type of its key
    <T> T intern(T value) {
        Object known = instances.get(value);
        if (known != null) {
            return (T) known;
        }
        if (instances.size() >= MAX) {
            instances.clear();
        }
        instances.put(value, value);
        return value;
    }
}
