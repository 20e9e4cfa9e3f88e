package io.txn.samples.demo;

import java.util.ArrayList;
import java.util.List;

/** Lines with aligned columns. Not thread-safe. */
final class TextTable {

    private static final String INDENT = "  ";
    private static final String GAP = "   ";

    private final List<String[]> lines = new ArrayList<>();

    TextTable(String... headings) {
        lines.add(headings);
    }

    void row(String... cells) {
        if (cells.length != lines.get(0).length) {
            throw new IllegalArgumentException("a row has as many cells as there are headings");
        }
        lines.add(cells);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (String[] line : lines) {
            StringBuilder cells = new StringBuilder(INDENT);
            for (int column = 0; column < line.length; column++) {
                String cell = line[column];
                cells.append(cell)
                        .append(" ".repeat(width(column) - cell.length()))
                        .append(GAP);
            }
            text.append(cells.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private int width(int column) {
        return lines.stream().mapToInt(line -> line[column].length()).max().orElse(0);
    }
}
