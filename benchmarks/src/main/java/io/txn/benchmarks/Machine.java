package io.txn.benchmarks;

import java.lang.management.ManagementFactory;

/** What the figures were taken on. */
final class Machine {

    private Machine() {}

    /** Processors, load and Java, for the head of a table. */
    static String describe() {
        return "cpus=" + Runtime.getRuntime().availableProcessors() + " load=" + load() + " java="
                + System.getProperty("java.version") + " os=" + System.getProperty("os.name") + ' '
                + System.getProperty("os.version");
    }

    /** The load average over the last minute. */
    static String load() {
        return Table.number(ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(), 2);
    }
}
