package io.txn.client.fence;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The decision table as the page shows it. */
record DecisionTable(List<Line> lines) {

    /** @param found what the row says before; null for nobody */
    record Line(FencePhase phase, FenceState found, FenceVerdict verdict, boolean runs, FenceState then) {}

    static DecisionTable read() {
        try {
            return new DecisionTable(Files.readAllLines(Path.of("../docs/fence.md")).stream()
                    .filter(line -> line.matches("\\| (BEGIN|FIRST|CONFIRM|CANCEL) \\|.*"))
                    .map(line -> line.split("\\s*\\|\\s*"))
                    .map(cells -> new Line(
                            FencePhase.valueOf(cells[1]),
                            cells[2].equals("nobody") ? null : FenceState.valueOf(cells[2]),
                            FenceVerdict.valueOf(cells[3]),
                            cells[4].equals("yes"),
                            FenceState.valueOf(cells[5])))
                    .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
