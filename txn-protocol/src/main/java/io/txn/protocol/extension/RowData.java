package io.txn.protocol.extension;

/**
 * Text that holds rows of an application's database, or says what to do with them: to be kept and carried, and never to be logged.
 *
 * @param text {@link UndoReport#encoded} or {@link UndoDecision#encoded}
 */
public record RowData(String text) {

    @Override
    public String toString() {
        return "(" + text.length() + " characters about rows)";
    }
}
