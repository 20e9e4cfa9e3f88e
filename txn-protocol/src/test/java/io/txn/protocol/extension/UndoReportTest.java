package io.txn.protocol.extension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.UndoDecision.Action;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.DeflaterOutputStream;
import org.junit.jupiter.api.Test;

class UndoReportTest {

    private static final String ID = "00112233aabbccdd";

    private final SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 7));

    private static UndoReport.Row row(String key, boolean restorable, UndoReport.Column... columns) {
        return new UndoReport.Row(
                "t", key, UndoReport.Cause.CHANGED, null, restorable, true, true, restorable, List.of(columns), 0);
    }

    private static UndoReport.Column column(String name, String value) {
        return new UndoReport.Column(name, value, null, value);
    }

    @Test
    void itIsReadAsItWasWritten() {
        UndoReport report = new UndoReport(
                ID,
                List.of(
                        row("1", true, column("a", "x😀"), new UndoReport.Column("b", null, "", "\u0000")),
                        new UndoReport.Row(
                                "u", "k_1", UndoReport.Cause.TAKEN, "by one", false, false, true, false, List.of(), 3)),
                5);
        RowData encoded = report.encoded();
        assertThat(encoded.text()).startsWith(ID + ".");
        assertThat(UndoReport.decode(encoded)).isEqualTo(report);
        assertThat(UndoReport.read(UndoReport.head(encoded))).isEqualTo(encoded);
        assertThat(UndoReport.read(Map.of())).isNull();
        assertThat(encoded.toString()).doesNotContain("x");
    }

    @Test
    void whateverIsInItItFitsIntoAHead() {
        List<UndoReport.Row> rows = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            UndoReport.Column[] columns = new UndoReport.Column[120];
            for (int j = 0; j < columns.length; j++) {
                byte[] noise = new byte[100 + random.nextInt(900)];
                random.nextBytes(noise);
                columns[j] = column("column_" + j, HexFormat.of().formatHex(noise));
            }
            rows.add(row("sha256~" + i, true, columns));
        }
        UndoReport read = UndoReport.decode(new UndoReport(ID, rows, 4).encoded());
        assertThat(new UndoReport(ID, rows, 4).encoded().text().length()).isLessThan(24_100);
        assertThat(read.rows().size() + read.more()).isEqualTo(304);
        assertThat(read.rows()).isNotEmpty();
        assertThat(read.rows().get(0).columns().size() + read.rows().get(0).moreColumns())
                .isEqualTo(120);
        assertThat(read.rows().get(0).columns().get(0).current())
                .contains("cut, ")
                .contains("sha256 ");
    }

    @Test
    void whatIsNoReportIsRefused() throws Exception {
        for (String text : List.of("", ".", ID, ID + ".", ID + ".!!!!", "zz." + "AAAA")) {
            assertThatThrownBy(() -> UndoReport.decode(new RowData(text)))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_REQUEST));
        }
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(bomb)) {
            out.write(new byte[10_000_000]);
        }
        String folded = Base64.getUrlEncoder().withoutPadding().encodeToString(bomb.toByteArray());
        assertThatThrownBy(() -> UndoReport.decode(new RowData(ID + "." + folded)))
                .isInstanceOf(TxnException.class);

        String good = new UndoReport(ID, List.of(row("1", true, column("a", "x"))), 0)
                .encoded()
                .text();
        for (int i = 0; i < 20_000; i++) {
            StringBuilder mutated = new StringBuilder(good);
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                mutated.setCharAt(random.nextInt(mutated.length()), (char) (33 + random.nextInt(90)));
            }
            Throwable thrown = catchThrowable(() -> UndoReport.decode(new RowData(mutated.toString())));
            assertThat(thrown == null || thrown instanceof TxnException)
                    .as("%s %s", thrown, mutated)
                    .isTrue();
        }
    }

    @Test
    void aDecisionHasToFitItsReport() {
        UndoReport report = new UndoReport(
                ID, List.of(row("1", true, column("a", "x"), column("b", "y")), row("2", false, column("a", "z"))), 3);
        assertThat(decision(ID, Action.KEEP).problem(report)).isNull();
        assertThat(decision("ffffffffffffffff", Action.KEEP).problem(report)).contains("have changed");
        assertThat(decision(ID, Action.RESTORE).problem(report))
                .contains("row 2")
                .contains("only be kept");
        assertThat(decision(ID, null, row("1", Action.KEEP), row("2", Action.KEEP))
                        .problem(report))
                .contains("3 rows");
        assertThat(decision(ID, Action.KEEP, row("3", Action.KEEP)).problem(report))
                .contains("no row 3");
        assertThat(decision(ID, Action.KEEP, row("1", Action.KEEP), row("1", Action.KEEP))
                        .problem(report))
                .contains("twice");
        UndoDecision.Row byColumn = new UndoDecision.Row("t", "1", Action.RESTORE, Map.of("b", Action.KEEP));
        assertThat(decision(ID, Action.KEEP, byColumn).problem(report)).isNull();
        assertThat(decision(ID, Action.KEEP, new UndoDecision.Row("t", "1", Action.KEEP, Map.of("c", Action.KEEP)))
                        .problem(report))
                .contains("no column c");
        UndoDecision decision = decision(ID, Action.KEEP, byColumn, row("2", Action.KEEP));
        assertThat(UndoDecision.read(UndoDecision.head(decision.encoded()))).isEqualTo(decision);
        assertThat(UndoDecision.decode(decision(ID, null).encoded()).rest()).isNull();
        assertThat(decision.summary()).isEqualTo("report " + ID + ", kept 1, restored 0, by column 1, rest KEEP");
    }

    private static UndoDecision.Row row(String key, Action action) {
        return new UndoDecision.Row("t", key, action, Map.of());
    }

    private static UndoDecision decision(String report, Action rest, UndoDecision.Row... rows) {
        return new UndoDecision(report, List.of(rows), rest);
    }
}
