package io.txn.coordinator.access;

/** A client as a connection proved to be it, and what it may do. Immutable. */
public final class Identity {

    /** Everybody, where no clients are configured. */
    public static final Identity ANYBODY = new Identity("", Patterns.ANY, Patterns.ANY);

    private final String name;
    private final Patterns applications;
    private final Patterns resources;

    Identity(String name, Patterns applications, Patterns resources) {
        this.name = name;
        this.applications = applications;
        this.resources = resources;
    }

    /** The name of its entry; empty for {@link #ANYBODY}. */
    public String name() {
        return name;
    }

    public boolean mayBe(String application) {
        return applications.match(application);
    }

    public boolean mayUse(String resource) {
        return resources.match(resource);
    }

    @Override
    public String toString() {
        return name.isEmpty() ? "anybody" : name;
    }
}
