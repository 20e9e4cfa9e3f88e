package io.txn.client.discovery;

import java.util.List;
import java.util.function.Consumer;

/** Says where coordinators are, and when that changes. Thread-safe. */
public interface CoordinatorLocator extends AutoCloseable {

    /**
     * The coordinators known now, without duplicates, in an order that is the same in every process: global transactions begin at the first
     * one that can be reached. Empty while none is known. Never blocks for long.
     */
    List<HostPort> current();

    /**
     * Has {@code listener} told every later change, with the whole new list, on a thread of the locator's choice. The list is never empty:
     * a registry that suddenly knows nobody is more often wrong than right, and connections that work are kept.
     */
    void onChange(Consumer<List<HostPort>> listener);

    /**
     * What is searched, for messages, and why nothing was found if so: {@code "addresses [127.0.0.1:8091]"},
     * {@code "Nacos 127.0.0.1:8848, service … (nobody is registered there)"}.
     */
    String description();

    /**
     * Goes the way to coordinators step by step, apart from what goes on anyway, and ends at the first step that cannot be made: so that people see which one it is. Empty
     * where there are no steps, as with a list of addresses. Blocks on the network, a few seconds at most.
     */
    default List<LookupStep> examine() {
        return List.of();
    }

    @Override
    void close();
}
