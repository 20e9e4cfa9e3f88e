package io.txn.benchmarks;

import java.util.List;

/** The middle of several rounds, which one bad round does not move, and how far it can be trusted. */
final class Medians {

    private static final double DOUBT = 0.05;

    private Medians() {}

    /** Between these two the median of all rounds that could be run lies, with 95 % confidence. */
    record Interval(double from, double to) {}

    /** @param values not empty */
    static double of(List<Double> values) {
        return quantile(values, 0.5);
    }

    /**
     * The value that a part of all does not exceed.
     *
     * @param values not empty
     * @param part between 0 and 1
     */
    static double quantile(List<Double> values, double part) {
        double[] sorted = sorted(values);
        double place = (sorted.length - 1) * part;
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
    }

    /**
     * By ranks alone, so nothing is taken for granted of how the values are spread. Fewer than six values do not suffice: from the least to the greatest of them then.
     *
     * @param values not empty
     */
    static Interval interval(List<Double> values) {
        double[] sorted = sorted(values);
        int count = sorted.length;
        // How likely at most so many of the values lie below the true median: each does with one half.
        double exactly = Math.pow(0.5, count);
        double atMost = 0;
        int rank = 0;
        while (rank < count / 2 && atMost + exactly <= DOUBT / 2) {
            atMost += exactly;
            exactly = exactly * (count - rank) / (rank + 1);
            rank++;
        }
        int from = Math.max(0, rank - 1);
        return new Interval(sorted[from], sorted[count - 1 - from]);
    }

    private static double[] sorted(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    }
}
