package io.txn.spring.doctor;

import org.jspecify.annotations.Nullable;

/**
 * One data source of the application, and what became of it.
 *
 * @param name the bean's name; of a pool beneath a router the router's name, a dot, and the key there; of a pool of dynamic-datasource its name there
 * @param type the class of the data source as the application made it
 * @param fate whether local transactions over it take part in global ones
 * @param why one sentence for people; it says what to do where the fate is {@link Fate#UNCOVERED}
 * @param resource the id under which the coordinator knows it; null unless it is wrapped
 */
public record SeenDataSource(
        String name,
        String type,
        Fate fate,
        String why,
        @Nullable String resource) {

    /** What became of a data source. */
    public enum Fate {
        /** A physical pool: its local transactions are branches of the global one. */
        WRAPPED,
        /** It stands above others, which have rows of their own here; what is done through it takes part once. */
        ABOVE,
        /** Left alone because the configuration says so. */
        EXCLUDED,
        /** Left alone because it cannot be wrapped: what is done through it is <em>not</em> undone. */
        UNCOVERED
    }
}
