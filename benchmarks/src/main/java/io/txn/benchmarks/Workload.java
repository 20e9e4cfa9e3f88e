package io.txn.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What is to be done.
 *
 * @param concurrency transactions under way at a time
 * @param branches branches of each, with one row each
 * @param hotRows 0: every row is used once; otherwise rows are drawn from so many
 * @param time after so long no more transactions are begun
 * @param most no more transactions than this
 * @param leftOpen whether they are not committed, with an hour to live
 * @param waiting whether a locked row is waited for in the coordinator's queue, instead of asked for again and again
 */
record Workload(
        int concurrency, int branches, int hotRows, Duration time, long most, boolean leftOpen, boolean waiting) {

    /** Transactions that are committed, every row used once. */
    static Workload of(int concurrency, int branches, Duration time) {
        return new Workload(concurrency, branches, 0, time, Long.MAX_VALUE, false, false);
    }

    /** Each combination that the options name: rows used once first; without branches there are no rows to be hot. */
    static List<Workload> each(Options options) {
        List<Workload> all = new ArrayList<>();
        for (int hotRows : options.numbers("hot-rows")) {
            for (int branches : options.numbers("branches")) {
                for (int concurrency :
                        hotRows > 0 && branches == 0 ? List.<Integer>of() : options.numbers("concurrency")) {
                    all.add(of(concurrency, branches, options.seconds("seconds"))
                            .withHotRows(hotRows));
                }
            }
        }
        return all;
    }

    Workload withHotRows(int rows) {
        return new Workload(concurrency, branches, rows, time, most, leftOpen, waiting);
    }

    Workload withMost(long transactions) {
        return new Workload(concurrency, branches, hotRows, time, transactions, leftOpen, waiting);
    }

    Workload thatLeavesOpen() {
        return new Workload(concurrency, branches, hotRows, time, most, true, waiting);
    }

    Workload withWaiting(boolean value) {
        return new Workload(concurrency, branches, hotRows, time, most, leftOpen, value);
    }

    Workload {
        if (concurrency < 1) {
            throw new Options.Misused("the concurrency is at least 1");
        }
        if (hotRows > 0 && hotRows < branches) {
            throw new Options.Misused("a transaction of " + branches + " branches needs as many rows, not " + hotRows);
        }
    }
}
