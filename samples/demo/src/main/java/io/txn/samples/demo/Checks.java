package io.txn.samples.demo;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The figures, and whether they are right. Not thread-safe. */
final class Checks {

    private final List<String> lines = new ArrayList<>();
    private int wrong;

    /** Compares by {@code equals}; both are shown when they differ. */
    void equal(String what, Object expected, Object actual) {
        boolean right = Objects.equals(expected, actual);
        lines.add(right ? "  ok      " + what : "  WRONG   " + what + ": expected " + expected + ", found " + actual);
        if (!right) {
            wrong++;
        }
    }

    boolean allRight() {
        return wrong == 0;
    }

    String text() {
        String verdict = allRight()
                ? "All " + lines.size() + " figures are right."
                : wrong + " of " + lines.size() + " figures are WRONG.";
        return String.join("\n", lines) + "\n\n" + verdict;
    }
}
