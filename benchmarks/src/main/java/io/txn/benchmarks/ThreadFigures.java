package io.txn.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What the kernel counts for one thread of a process since its start.
 *
 * @param name as the kernel shows it, 15 characters at most
 * @param cpuNanos on a processor
 * @param waitNanos ready to run, while the processors did something else
 * @param wakeUps how many times it went to sleep by itself, so as many times as it woke up
 */
record ThreadFigures(String name, long cpuNanos, long waitNanos, long wakeUps) {

    private static final Set<String> MAIN = Set.of("java", "DestroyJavaVM");
    private static final String WAKE_UPS = "voluntary_ctxt_switches:";

    /** Those that are there, by number. */
    static Map<String, ThreadFigures> of(long pid) {
        Map<String, ThreadFigures> threads = new TreeMap<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path task : tasks.toList()) {
                try {
                    threads.put(String.valueOf(task.getFileName()), read(task));
                } catch (IOException gone) {
                    // Threads come and go, those of the compilers too.
                }
            }
            return threads;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the threads of " + pid, e);
        }
    }

    /** The one that ran {@code main}: of those that are named as the program, before {@code main} returned and behind it, the one that worked. */
    static ThreadFigures main(Collection<ThreadFigures> threads) {
        return threads.stream()
                .filter(thread -> MAIN.contains(thread.name()))
                .max(Comparator.comparingLong(ThreadFigures::cpuNanos))
                .orElse(new ThreadFigures("java", 0, 0, 0));
    }

    /** CPU nanoseconds of those whose names begin with one of these. */
    static long cpuNanos(Collection<ThreadFigures> threads, String... names) {
        return threads.stream()
                .filter(thread -> Stream.of(names).anyMatch(thread.name()::startsWith))
                .mapToLong(ThreadFigures::cpuNanos)
                .sum();
    }

    private static ThreadFigures read(Path task) throws IOException {
        String[] times = Files.readString(task.resolve("schedstat")).strip().split(" ");
        long wakeUps = Files.readString(task.resolve("status"))
                .lines()
                .filter(line -> line.startsWith(WAKE_UPS))
                .mapToLong(
                        line -> Long.parseLong(line.substring(WAKE_UPS.length()).strip()))
                .findFirst()
                .orElse(0);
        return new ThreadFigures(
                Files.readString(task.resolve("comm")).strip(),
                Long.parseLong(times[0]),
                Long.parseLong(times[1]),
                wakeUps);
    }

    /** Those that are still there, and those that came, since they were {@code before}: what one that ended took by then is left out of both. */
    static List<ThreadFigures> since(Map<String, ThreadFigures> before, Map<String, ThreadFigures> now) {
        return now.entrySet().stream()
                .map(thread -> {
                    ThreadFigures earlier = before.get(thread.getKey());
                    return earlier == null
                            ? thread.getValue()
                            : thread.getValue().since(earlier);
                })
                .toList();
    }

    ThreadFigures since(ThreadFigures before) {
        return new ThreadFigures(
                name, cpuNanos - before.cpuNanos, waitNanos - before.waitNanos, wakeUps - before.wakeUps);
    }
}
