package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MediansTest {

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
        assertThat(Medians.of(List.of(4.0, 1.0, 3.0, 2.0))).isEqualTo(2.5);
        assertThat(Medians.of(List.of(9.0, 1.0, 2.0))).isEqualTo(2.0);
        assertThat(Medians.quantile(List.of(5.0, 1.0, 2.0, 4.0, 3.0), 0.25)).isEqualTo(2.0);
    }

    /** The ranks of the sign test's tables. */
    @Test
    void theIntervalIsThatOfTheSignTest() {
        assertThat(Medians.interval(upTo(6))).isEqualTo(new Medians.Interval(1, 6));
        assertThat(Medians.interval(upTo(9))).isEqualTo(new Medians.Interval(2, 8));
        assertThat(Medians.interval(upTo(15))).isEqualTo(new Medians.Interval(4, 12));
        assertThat(Medians.interval(upTo(30))).isEqualTo(new Medians.Interval(10, 21));
    }

    @Test
    void fewValuesHaveNoCloserIntervalThanAllOfThem() {
        assertThat(Medians.interval(upTo(1))).isEqualTo(new Medians.Interval(1, 1));
        assertThat(Medians.interval(upTo(5))).isEqualTo(new Medians.Interval(1, 5));
    }

    private static List<Double> upTo(int last) {
        return IntStream.rangeClosed(1, last).mapToObj(value -> (double) value).toList();
    }
}
