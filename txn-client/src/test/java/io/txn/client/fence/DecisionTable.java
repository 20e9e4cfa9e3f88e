package io.txn.client.fence;

import io.txn.test.GeneratedDoc;
import java.util.List;

/** The decision table as the page shows it. */
record DecisionTable(List<Line> lines) {

    /** @param found what the row says before; null for nobody */
    record Line(FencePhase phase, FenceState found, FenceVerdict verdict, boolean runs, FenceState then) {}

    static DecisionTable read() {
        return new DecisionTable(GeneratedDoc.of("fence.md")
                .text()
                .lines()
                .filter(line -> line.matches("\\| (BEGIN|FIRST|CONFIRM|CANCEL) \\|.*"))
                .map(line -> line.split("\\s*\\|\\s*"))
                .map(cells -> new Line(
                        FencePhase.valueOf(cells[1]),
                        cells[2].equals("nobody") ? null : FenceState.valueOf(cells[2]),
                        FenceVerdict.valueOf(cells[3]),
                        cells[4].equals("yes"),
                        FenceState.valueOf(cells[5])))
                .toList());
    }
}
