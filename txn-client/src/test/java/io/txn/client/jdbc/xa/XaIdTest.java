package io.txn.client.jdbc.xa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.Xid;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class XaIdTest {

    @Test
    void itFitsEveryDatabaseAndTellsWhatItIsOf() {
        XaId id = XaId.of(Xid.of("coordinator.example:8091", Long.MAX_VALUE), -1, "jdbc:postgresql://db/shop");
        assertThat(id.global().getBytes(StandardCharsets.US_ASCII)).hasSizeLessThanOrEqualTo(64);
        assertThat(id.branch().getBytes(StandardCharsets.US_ASCII)).hasSizeLessThanOrEqualTo(64);
        assertThat(id.toString())
                .isEqualTo("txn1y2p0ij32e8e7@coordinator.example:8091.1y2p0ij32e8e7."
                        + id.branch().split("\\.")[1]);
        assertThat(id.number()).isEqualTo(Long.MAX_VALUE);
        assertThat(id.isIn("jdbc:postgresql://db/shop")).isTrue();
        assertThat(id.isIn("jdbc:postgresql://db/other")).isFalse();
        assertThat(XaId.parse(id.toString())).isEqualTo(id);
        assertThat(id.xid()).isEqualTo(Xid.of("coordinator.example:8091", Long.MAX_VALUE));
        XaId numeric = XaId.of(Xid.of("127.0.0.1:8091", 7), 35, "db");
        assertThat(XaId.parse(numeric.toString())).isEqualTo(numeric);
        assertThat(numeric.xid()).isEqualTo(Xid.of("127.0.0.1:8091", 7));
        XaId wordy = XaId.of(Xid.of("x".repeat(60) + ":8091", 7), 35, "db");
        assertThat(wordy.xid()).isNull();
        assertThat(wordy.number()).isEqualTo(7);
        XaId foreign = XaId.of(new Xid("somebody-else"), 5, "db");
        assertThat(XaId.parse(foreign.toString())).isEqualTo(foreign);
    }

    @Test
    void whatIsNoneOfOursIsNotTakenForOne() {
        for (String text :
                new String[] {null, "", "txn", "txn1.2", "txn1.2.0000000g", "x'; DROP TABLE a", "TXN1.2.00000000"}) {
            assertThat(XaId.parse(text)).as("%s", text).isNull();
        }
        assertThatThrownBy(() -> new XaId("txn1", "2.00000000' OR '1")).isInstanceOf(IllegalArgumentException.class);
    }
}
