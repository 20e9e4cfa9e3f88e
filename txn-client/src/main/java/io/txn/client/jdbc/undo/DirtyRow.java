package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.extension.UndoReport;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A row that is in the way of an undo: what it was before the transaction, after it, and is now. For one thread. */
final class DirtyRow {

    private static final int SHOWN_BYTES = 400;

    private final String table;
    private final List<Value> key;
    private final boolean existedAfter;
    private final boolean existsNow;
    private final boolean restorable;
    private final int change;
    private final Map<String, Cell> cells = new LinkedHashMap<>();
    private UndoReport.Cause cause;
    private @Nullable String detail;
    private boolean existedBefore;

    /** What a person decided; null while nobody has. */
    private UndoDecision.@Nullable Row verdict;

    private static final class Cell {
        private final String codec;
        private final boolean maintained;
        private final @Nullable Value after;
        private final @Nullable Value current;
        private @Nullable Value before;
        private boolean changed;

        Cell(ImageColumn column, @Nullable Value after, @Nullable Value current) {
            this.codec = column.codec();
            this.maintained = column.maintained();
            this.after = after;
            this.current = current;
        }
    }

    /** @param change the place of the change in the record where the row was met first, which is the last one of the row */
    DirtyRow(
            TableChange of,
            int change,
            RowChange row,
            @Nullable List<Value> now,
            UndoReport.Cause cause,
            @Nullable String detail) {
        this.table = of.lockName();
        this.key = of.keyOf(row.existing());
        this.change = change;
        this.existedAfter = row.after() != null;
        this.existsNow = now != null;
        this.restorable = now != null || of.kind() != TableChange.Kind.UPDATE;
        this.cause = cause;
        this.detail = detail;
        before(of, row, now);
    }

    /** An earlier change of the row: the transaction found it as it was before that. */
    void before(TableChange of, RowChange row, @Nullable List<Value> now) {
        List<Value> was = row.before();
        List<Value> became = row.after();
        existedBefore = was != null;
        for (int i = 0; i < of.columns().size(); i++) {
            ImageColumn column = of.columns().get(i);
            int index = i;
            Cell cell = cells.computeIfAbsent(
                    column.name(),
                    name -> new Cell(
                            column, became == null ? null : became.get(index), now == null ? null : now.get(index)));
            cell.before = was == null ? null : was.get(i);
            cell.changed |= was == null || became == null || !was.get(i).equals(became.get(i));
        }
    }

    void blocked(UndoReport.Cause newCause, @Nullable String newDetail) {
        cause = newCause;
        detail = newDetail;
    }

    void decide(UndoDecision.Row decided) {
        verdict = decided;
    }

    /** Whether it is as it was before the transaction after all, although not as any single statement found it. */
    boolean isAsBefore() {
        boolean byValue =
                cause == UndoReport.Cause.CHANGED || cause == UndoReport.Cause.GONE || cause == UndoReport.Cause.THERE;
        if (!byValue || existedBefore != existsNow) {
            return false;
        }
        if (!existsNow) {
            return true;
        }
        for (Cell cell : cells.values()) {
            if (!cell.maintained && (cell.before == null || !cell.before.equals(cell.current))) {
                return false;
            }
        }
        return true;
    }

    String table() {
        return table;
    }

    List<Value> key() {
        return key;
    }

    int change() {
        return change;
    }

    boolean restorable() {
        return restorable;
    }

    UndoReport.Cause cause() {
        return cause;
    }

    @Nullable
    String detail() {
        return detail;
    }

    boolean isDecided() {
        return verdict != null;
    }

    boolean isKept() {
        UndoDecision.Row decided = verdict;
        return decided != null
                && decided.action() == UndoDecision.Action.KEEP
                && !decided.columns().containsValue(UndoDecision.Action.RESTORE);
    }

    private boolean keeps(UndoDecision.Row decided, String column) {
        return decided.columns().getOrDefault(column, decided.action()) == UndoDecision.Action.KEEP;
    }

    /**
     * What an image becomes by the decision: the columns that are kept have the values that they have now.
     *
     * @param now the row as it is, or null when it is not there: then the values count that it had when it was looked at first
     */
    List<Value> decided(TableChange of, List<Value> image, @Nullable List<Value> now) {
        UndoDecision.Row decided = verdict;
        if (decided == null) {
            return image;
        }
        List<Value> values = new ArrayList<>(image);
        for (int i = 0; i < values.size(); i++) {
            String name = of.columns().get(i).name();
            Cell cell = cells.get(name);
            Value current = now != null ? now.get(i) : cell == null ? null : cell.current;
            if (current != null && keeps(decided, name)) {
                values.set(i, current);
            }
        }
        return values;
    }

    /** As it is shown. */
    UndoReport.Row shown(String keyText) {
        List<UndoReport.Column> columns = new ArrayList<>();
        boolean wholeRow = !existedBefore || !existedAfter || !existsNow;
        cells.forEach((name, cell) -> {
            boolean differs = !Arrays.asList(cell.before, cell.after).contains(cell.current);
            if (wholeRow || cell.changed || differs) {
                columns.add(new UndoReport.Column(
                        name,
                        text(cell.codec, cell.before),
                        text(cell.codec, cell.after),
                        text(cell.codec, cell.current)));
            }
        });
        return new UndoReport.Row(
                table, keyText, cause, detail, restorable, existedBefore, existedAfter, existsNow, columns, 0);
    }

    private static @Nullable String text(String codec, @Nullable Value value) {
        if (value instanceof Value.Text text) {
            return text.text();
        } else if (value instanceof Value.Bytes bytes) {
            String text = characters(codec, bytes.bytes());
            return text == null ? hexadecimal(bytes.bytes()) : text;
        }
        return null;
    }

    /** What MySQL and MariaDB give as bytes because the connection's character set might lose some: the codec's id ends with the column's. */
    private static @Nullable String characters(String codec, byte[] bytes) {
        Charset charset =
                switch (codec.substring(codec.indexOf(' ') + 1)) {
                    case "utf8mb4", "utf8mb3", "utf8", "ascii", "json" -> StandardCharsets.UTF_8;
                    case "latin1" -> Charset.forName("windows-1252");
                    default -> null;
                };
        try {
            return charset == null
                    ? null
                    : charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static String hexadecimal(byte[] bytes) {
        HexFormat hex = HexFormat.of();
        return bytes.length <= SHOWN_BYTES
                ? "0x" + hex.formatHex(bytes)
                : "0x" + hex.formatHex(bytes, 0, SHOWN_BYTES) + "… (cut, " + bytes.length + " bytes, sha256 "
                        + hex.formatHex(sha256().digest(bytes), 0, 8) + ")";
    }

    /** Adds to {@code digest} what the row holds now. */
    void digest(MessageDigest digest, String keyText) {
        add(digest, table);
        add(digest, keyText);
        digest.update((byte) cause.ordinal());
        add(digest, detail == null ? "" : detail);
        digest.update((byte) (existsNow ? 1 : 0));
        cells.forEach((name, cell) -> {
            add(digest, name);
            if (cell.current instanceof Value.Text text) {
                digest.update((byte) 1);
                add(digest, text.text());
            } else if (cell.current instanceof Value.Bytes bytes) {
                digest.update((byte) 2);
                add(digest, bytes.bytes());
            } else {
                digest.update((byte) 0);
            }
        });
    }

    private static void add(MessageDigest digest, String text) {
        add(digest, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void add(MessageDigest digest, byte[] bytes) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            digest.update((byte) (bytes.length >>> shift));
        }
        digest.update(bytes);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
