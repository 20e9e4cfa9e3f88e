package io.txn.protocol.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.message.Message;
import org.junit.jupiter.api.Test;

class AccessTest {

    private static final Secret SECRET = new Secret("sk-of-the-test");

    @Test
    void secretsShowInNoText() {
        String extra = new ExtraData().with(ExtraData.TOKEN, "not-to-be-seen").text();
        assertThat(extra).isEqualTo("token=not-to-be-seen\n");
        assertThat(new Secret("not-to-be-seen").toString()).doesNotContain("seen");
        assertThat(ExtraData.parse(extra).toString()).doesNotContain("seen");
        assertThat(new Message.RegisterTmRequest("2.5.0", "orders", "group", extra).toString())
                .doesNotContain("seen")
                .contains("orders");
        assertThat(new Message.RegisterRmRequest("2.5.0", "orders", "group", extra, "jdbc:x").toString())
                .doesNotContain("seen")
                .contains("jdbc:x");
    }

    @Test
    void extraDataIsReadAsSeatasClientsWriteIt() {
        ExtraData data =
                ExtraData.parse("ak=null\ndigest=g,127.0.0.1,1\ntimestamp=1\nno equals sign\nip=\nak=second\n");

        assertThat(data.get(ExtraData.ACCESS_KEY)).isNull();
        assertThat(data.get(ExtraData.DIGEST)).isEqualTo("g,127.0.0.1,1");
        assertThat(data.get(ExtraData.IP)).isNull();
        assertThat(data.get(ExtraData.TOKEN)).isNull();
        assertThat(ExtraData.parse(null).get(ExtraData.TOKEN)).isNull();
    }

    @Test
    void theDigestDependsOnEverythingItCovers() {
        long time = 1_700_000_000_000L;
        String digest = SeataDigest.of(SECRET, "group", "10.0.0.1", time);

        assertThat(SeataDigest.matches(digest, SECRET, "group", "10.0.0.1", time))
                .isTrue();
        assertThat(SeataDigest.matches(digest, new Secret("other"), "group", "10.0.0.1", time))
                .isFalse();
        assertThat(SeataDigest.matches(digest, SECRET, "other", "10.0.0.1", time))
                .isFalse();
        assertThat(SeataDigest.matches(digest, SECRET, "group", "10.0.0.2", time))
                .isFalse();
        assertThat(SeataDigest.matches(digest, SECRET, "group", "10.0.0.1", time + 1))
                .isFalse();
        assertThat(SeataDigest.matches("", SECRET, "group", "10.0.0.1", time)).isFalse();
    }

    @Test
    void secretsAreEqualByTheirText() {
        assertThat(new Secret("sk-of-the-test")).isEqualTo(SECRET).hasSameHashCodeAs(SECRET);
        assertThat(new Secret("another")).isNotEqualTo(SECRET);
    }
}
