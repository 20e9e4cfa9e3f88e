package io.txn.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TableTest {

    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        Table table = new Table("name", "tx/s");
        table.row("a long name", Table.number(1234.56, 1));
        table.row("b", "7");

        assertThat(table).hasToString("name            tx/s\n" + "a long name  1,234.6\n" + "b                  7\n");
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle() {
        assertThat(Medians.of(List.of(4.0, 1.0, 100.0, 2.0))).isEqualTo(3.0);
        assertThat(Medians.of(List.of(9.0, 1.0, 2.0))).isEqualTo(2.0);
    }

    @Test
    void anOptionThatIsNotKnownOrNoNumberIsRefused() {
        Map<String, String> defaults = Map.of("rounds", "3");

        assertThat(Options.parse(defaults, List.of("--rounds=5")).number("rounds"))
                .isEqualTo(5);
        assertThatThrownBy(() -> Options.parse(defaults, List.of("--round=5"))).isInstanceOf(Options.Misused.class);
        assertThatThrownBy(() -> Options.parse(defaults, List.of("--rounds"))).isInstanceOf(Options.Misused.class);
        assertThatThrownBy(() -> Options.parse(defaults, List.of("--rounds=-5")).number("rounds"))
                .isInstanceOf(Options.Misused.class);
    }
}
