package io.txn.benchmarks;

import java.util.List;

/** The middle of several rounds, which one bad round does not move. */
final class Medians {

    private Medians() {}

    /** @param values not empty */
    static double of(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
