package io.txn.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What the kernel counts for a process, since its start or between two moments. Not what it writes: that figure counts, for each write of a few
 * bytes, as much as the page cache holds in one piece, up to a megabyte.
 *
 * @param userNanos CPU time in the program, in steps of 10 ms
 * @param kernelNanos CPU time in the kernel on its behalf, in steps of 10 ms
 */
record ProcessFigures(long userNanos, long kernelNanos) {

    /** The unit of {@code /proc/<pid>/stat}: 100 a second on every Linux that Java runs on. */
    private static final long NANOS_PER_TICK = 10_000_000;

    private static final int USER_TICKS = 11;
    private static final int KERNEL_TICKS = 12;

    static ProcessFigures of(long pid) {
        Path process = Path.of("/proc", Long.toString(pid));
        try {
            String stat = Files.readString(process.resolve("stat"));
            // The name, in brackets, may hold anything; behind it stand the state and numbers.
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return new ProcessFigures(
                    Long.parseLong(fields[USER_TICKS]) * NANOS_PER_TICK,
                    Long.parseLong(fields[KERNEL_TICKS]) * NANOS_PER_TICK);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + process, e);
        }
    }

    /** This process and all that it started, directly or not, and that are still there. */
    static ProcessFigures ofAll() {
        return Stream.concat(
                        Stream.of(ProcessHandle.current()),
                        ProcessHandle.current().descendants())
                .map(ProcessFigures::ofIfThere)
                .reduce(new ProcessFigures(0, 0), ProcessFigures::plus);
    }

    private static ProcessFigures ofIfThere(ProcessHandle process) {
        try {
            return of(process.pid());
        } catch (UncheckedIOException e) {
            return new ProcessFigures(0, 0); // gone between the two looks
        }
    }

    private ProcessFigures plus(ProcessFigures other) {
        return new ProcessFigures(userNanos + other.userNanos, kernelNanos + other.kernelNanos);
    }

    long cpuNanos() {
        return userNanos + kernelNanos;
    }

    ProcessFigures since(ProcessFigures before) {
        return new ProcessFigures(userNanos - before.userNanos, kernelNanos - before.kernelNanos);
    }
}
