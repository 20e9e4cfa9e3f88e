package io.txn.coordinator.app.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.extension.RowData;
import io.txn.protocol.extension.UndoReport;
import java.util.List;
import org.junit.jupiter.api.Test;

class ViewsTest {

    @Test
    void aReportThatThisVersionCannotReadHidesNothingElse() {
        RowData readable = new UndoReport("00000000000000aa", List.of(), 3).encoded();
        assertThat(Views.RowsInTheWay.of(readable)).isEqualTo(new Views.RowsInTheWay("00000000000000aa", List.of(), 3));
        assertThat(Views.RowsInTheWay.of(new RowData("00000000000000aa.AAAA"))).isNull();
        assertThat(Views.RowsInTheWay.of(null)).isNull();
    }
}
