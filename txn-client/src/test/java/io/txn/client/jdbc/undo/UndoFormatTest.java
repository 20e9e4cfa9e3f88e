package io.txn.client.jdbc.undo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class UndoFormatTest {

    private static final Xid XID = Xid.of("127.0.0.1:8091", 4711);
    private static final BranchId BRANCH = new BranchId(Long.MAX_VALUE);

    private static Value text(String text) {
        return new Value.Text(text);
    }

    private static UndoRecord record() {
        List<ImageColumn> columns = List.of(
                new ImageColumn("id", "bigint", 0, false),
                new ImageColumn("näme", "varchar utf8mb4", -1, false),
                new ImageColumn("at", "timestamp", -1, true));
        List<RowChange> rows = List.of(
                new RowChange(
                        List.of(text("1"), text("\ud83d\ude00 \u0000 \n"), Value.NULL),
                        List.of(text("1"), Value.NULL, new Value.Bytes(new byte[] {0, -1, 127}))),
                new RowChange(null, List.of(text("-9223372036854775808"), text(""), new Value.Bytes(new byte[0]))),
                new RowChange(List.of(text("3"), text("half \ud83d surrogate"), text("x".repeat(100_000))), null));
        return new UndoRecord(
                XID,
                BRANCH,
                List.of(
                        new TableChange(TableChange.Kind.UPDATE, "public", "t", "t", columns, rows),
                        new TableChange(TableChange.Kind.DELETE, "", "Order Line", "s.Order Line", columns, List.of())),
                List.of(
                        new Reliance("", "Order Line", true, Set.of(1, -1, Integer.MIN_VALUE)),
                        new Reliance("public", "t", false, Set.of()),
                        new Reliance("public", "untouched", false, Set.of(7))));
    }

    @Test
    void whatIsWrittenIsReadAgain() throws Exception {
        assertThat(UndoFormat.decode(UndoFormat.encode(record()))).isEqualTo(record());
        UndoRecord empty = new UndoRecord(XID, BRANCH, List.of(), List.of());
        assertThat(UndoFormat.decode(UndoFormat.encode(empty))).isEqualTo(empty);
    }

    @Test
    void randomRecordsSurviveTheRoundTrip() throws Exception {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 300; i++) {
            UndoRecord record = randomRecord(random);
            assertThat(UndoFormat.decode(UndoFormat.encode(record)))
                    .as("replay with -Dtxn.test.seed=%s", seed)
                    .isEqualTo(record);
        }
    }

    private static UndoRecord randomRecord(Random random) {
        List<TableChange> changes = new ArrayList<>();
        for (int c = random.nextInt(4); c > 0; c--) {
            List<ImageColumn> columns = new ArrayList<>();
            for (int i = 0; i <= random.nextInt(5); i++) {
                columns.add(new ImageColumn("c" + i, "type " + i, random.nextInt(3) - 1, random.nextBoolean()));
            }
            List<RowChange> rows = new ArrayList<>();
            for (int r = random.nextInt(5); r > 0; r--) {
                int which = random.nextInt(3);
                rows.add(new RowChange(
                        which == 0 ? null : randomRow(random, columns.size()),
                        which == 1 ? null : randomRow(random, columns.size())));
            }
            TableChange.Kind[] kinds = TableChange.Kind.values();
            changes.add(new TableChange(kinds[random.nextInt(kinds.length)], "s", "t" + c, "l" + c, columns, rows));
        }
        List<Reliance> reliances = new ArrayList<>();
        for (int r = random.nextInt(4); r > 0; r--) {
            Set<Integer> known = new HashSet<>();
            random.ints(random.nextInt(5)).forEach(known::add);
            reliances.add(new Reliance("s", "t" + random.nextInt(5), random.nextBoolean(), known));
        }
        return new UndoRecord(
                Xid.of("h:1", random.nextInt(1_000_000)),
                new BranchId(1 + random.nextInt(1_000_000)),
                changes,
                reliances);
    }

    private static List<Value> randomRow(Random random, int columns) {
        List<Value> row = new ArrayList<>();
        for (int i = 0; i < columns; i++) {
            byte[] bytes = new byte[random.nextInt(20)];
            random.nextBytes(bytes);
            char[] chars = new char[random.nextInt(20)];
            for (int k = 0; k < chars.length; k++) {
                chars[k] = (char) random.nextInt(0x10000);
            }
            row.add(
                    switch (random.nextInt(3)) {
                        case 0 -> Value.NULL;
                        case 1 -> new Value.Bytes(bytes);
                        default -> text(new String(chars));
                    });
        }
        return row;
    }

    @Test
    void everyDamagedByteIsNoticed() {
        byte[] good = UndoFormat.encode(record());
        for (int i = 0; i < good.length; i += i < 400 ? 1 : 997) {
            byte[] bad = good.clone();
            bad[i] ^= 0x20;
            assertThatThrownBy(() -> UndoFormat.decode(bad)).isInstanceOf(UndoFormat.UnreadableException.class);
        }
    }

    @Test
    void everyTruncationIsNoticed() {
        byte[] good = UndoFormat.encode(record());
        for (int length = 0; length < good.length; length += length < 400 ? 1 : 997) {
            byte[] bad = Arrays.copyOf(good, length);
            assertThatThrownBy(() -> UndoFormat.decode(bad)).isInstanceOf(UndoFormat.UnreadableException.class);
        }
    }

    @Test
    void lengthsThatLieAreNoticedEvenUnderARightChecksum() {
        byte[] good = UndoFormat.encode(record());
        Random random = new Random(7);
        for (int i = 0; i < 5_000; i++) {
            byte[] bad = Arrays.copyOf(good, 300);
            for (int k = 0; k < 4; k++) {
                bad[5 + random.nextInt(290)] = (byte) random.nextInt(256);
            }
            java.util.zip.CRC32C crc = new java.util.zip.CRC32C();
            crc.update(bad, 0, bad.length - 4);
            java.nio.ByteBuffer.wrap(bad).putInt(bad.length - 4, (int) crc.getValue());
            try {
                UndoFormat.decode(bad);
            } catch (UndoFormat.UnreadableException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    @Test
    void recordsOfOthersAndOfLaterVersionsSayWhatTheyAre() {
        assertThatThrownBy(() -> UndoFormat.decode("{\"@class\":\"org.example.BranchUndoLog\"}".getBytes()))
                .hasMessageContaining("not an undo record of this product");
        byte[] later = UndoFormat.encode(record());
        later[4] = 2;
        assertThatThrownBy(() -> UndoFormat.decode(later)).hasMessageContaining("version 2");
        assertThat(UndoFormat.isNewer(later)).as("damaged").isFalse();
        CRC32C checksum = new CRC32C();
        checksum.update(later, 0, later.length - 4);
        ByteBuffer.wrap(later).putInt(later.length - 4, (int) checksum.getValue());
        assertThat(UndoFormat.isNewer(later)).isTrue();
        assertThat(UndoFormat.isNewer(UndoFormat.encode(record()))).isFalse();
    }

    @Test
    void onlyWhatAnUpdateChangedIsKeptBesideTheKey() {
        List<ImageColumn> columns = List.of(
                new ImageColumn("a", "int", -1, false),
                new ImageColumn("id", "int", 0, false),
                new ImageColumn("b", "int", -1, false),
                new ImageColumn("touched", "timestamp", -1, true));
        TableChange update = new TableChange(
                TableChange.Kind.UPDATE,
                "s",
                "t",
                "t",
                columns,
                List.of(
                        new RowChange(
                                List.of(text("1"), text("7"), text("3"), text("x")),
                                List.of(text("1"), text("7"), text("4"), text("x"))),
                        new RowChange(
                                List.of(text("1"), text("8"), text("3"), text("x")),
                                List.of(text("1"), text("8"), text("3"), text("x")))));
        TableChange kept = update.effective();
        assertThat(kept.columns().stream().map(ImageColumn::name)).containsExactly("id", "b", "touched");
        assertThat(kept.rows())
                .containsExactly(new RowChange(
                        List.of(text("7"), text("3"), text("x")), List.of(text("7"), text("4"), text("x"))));
        assertThat(new TableChange(
                                TableChange.Kind.UPDATE,
                                "s",
                                "t",
                                "t",
                                columns,
                                List.of(update.rows().get(1)))
                        .effective())
                .isNull();
    }
}
