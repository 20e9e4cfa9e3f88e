package io.txn.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the figures were taken on. */
final class Machine {

    private static final long NANOS_PER_TICK = 10_000_000;

    private Machine() {}

    /**
     * Time of all processors together, since the machine's start or between two moments, in steps of 10 ms.
     *
     * @param busyNanos what processes took, the kernel's own threads and interrupts: what a disk or a network costs that no process answers for
     * @param idleNanos what nobody had use for, waiting for a disk included
     */
    record Time(long busyNanos, long idleNanos) {

        static Time now() {
            Path stat = Path.of("/proc/stat");
            try {
                return parse(Files.readString(stat));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + stat, e);
            }
        }

        /** Its first line is {@code cpu}, then the ticks of user, nice, system, idle, iowait, irq, softirq; what follows is other machines' time, or counted already. */
        static Time parse(String stat) {
            String[] fields = stat.lines().findFirst().orElseThrow().split(" +");
            long[] ticks = new long[7];
            for (int i = 0; i < ticks.length; i++) {
                ticks[i] = Long.parseLong(fields[i + 1]);
            }
            return new Time(
                    (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) * NANOS_PER_TICK,
                    (ticks[3] + ticks[4]) * NANOS_PER_TICK);
        }

        Time since(Time before) {
            return new Time(busyNanos - before.busyNanos, idleNanos - before.idleNanos);
        }

        double idlePercent() {
            return 100.0 * idleNanos / Math.max(1, busyNanos + idleNanos);
        }
    }

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
