package io.txn.samples.demo;

import java.util.Locale;

/** The programs of the shop, in the order in which they are started. */
public enum Program {
    COORDINATOR,
    STORAGE,
    ORDER,
    ACCOUNT,
    BUSINESS;

    /** As it is called in output, file names and database names. */
    public String title() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether it is one of the four services, each with a database of its own. */
    public boolean isService() {
        return this != COORDINATOR;
    }
}
