package io.txn.coordinator.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.access.SeataDigest;
import io.txn.protocol.access.Secret;
import io.txn.test.TestAuthority;
import io.txn.test.TestAuthority.Issued;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DoorkeeperTest {

    private static final String TOKEN = "a-token-of-the-test-1";
    private static final String OTHER_TOKEN = "a-token-of-the-test-2";
    private static final Secret SECRET = new Secret("sk-of-the-test");
    private static final TestAuthority AUTHORITY = new TestAuthority("ours");

    @TempDir
    Path directory;

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-03-01T12:00:00Z"));

    private Doorkeeper keeper(ClientEntry... entries) {
        return keeper(SeataResourceManagers.REFUSE, false, entries);
    }

    private Doorkeeper keeper(SeataResourceManagers seata, boolean tls, ClientEntry... entries) {
        return new Doorkeeper(new AccessRules(List.of(entries), seata), tls, now::get);
    }

    private static ClientEntry entry(
            String name, List<Secret> tokens, List<String> certificates, String... applications) {
        return new ClientEntry(name, tokens, null, null, null, certificates, List.of(applications), List.of());
    }

    private static ClientEntry accessKey(String name, String key, Secret secret, String... resources) {
        return new ClientEntry(name, List.of(), null, key, secret, List.of(), List.of("orders"), List.of(resources));
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private static Presented shows(ExtraData extra) {
        return shows("10.0.0.7", true, List.of(), "orders", extra);
    }

    private static Presented shows(
            String from, boolean encrypted, List<X509Certificate> chain, String application, ExtraData extra) {
        return new Presented(address(from), encrypted, chain, application, "group", extra);
    }

    private static ExtraData token(String token) {
        return new ExtraData().with(ExtraData.TOKEN, token);
    }

    private ExtraData digest(String key, Secret secret, Instant at) {
        return new ExtraData()
                .with(ExtraData.ACCESS_KEY, key)
                .with(ExtraData.DIGEST, SeataDigest.of(secret, "group", "192.168.1.5", at.toEpochMilli()))
                .with(ExtraData.TIMESTAMP, Long.toString(at.toEpochMilli()))
                .with(ExtraData.IP, "192.168.1.5");
    }

    private static Credential admitted(Admission admission) {
        assertThat(admission).isInstanceOf(Admission.Admitted.class);
        return ((Admission.Admitted) admission).credential();
    }

    private static ErrorCode refused(Admission admission) {
        assertThat(admission).isInstanceOf(Admission.Refused.class);
        assertThat(((Admission.Refused) admission).text()).doesNotContain(TOKEN, OTHER_TOKEN, SECRET.reveal());
        return ((Admission.Refused) admission).code();
    }

    @Test
    void withoutClientsEverybodyMayDoEverything() {
        Credential credential = admitted(keeper().admit(shows(new ExtraData()), null));

        assertThat(credential.identity().mayBe("anything")).isTrue();
        assertThat(credential.identity().mayUse("anything")).isTrue();
        assertThat(keeper().guards()).isFalse();
    }

    @Test
    void aTokenSaysWhoItIs() {
        Doorkeeper keeper = keeper(
                ClientEntry.ofToken("shop", TOKEN),
                entry("bank", List.of(new Secret(OTHER_TOKEN), new Secret("a-token-of-the-test-3")), List.of()));

        assertThat(admitted(keeper.admit(shows(token(TOKEN)), null)).identity().name())
                .isEqualTo("shop");
        assertThat(admitted(keeper.admit(shows(token("a-token-of-the-test-3")), null))
                        .identity()
                        .name())
                .isEqualTo("bank");
        assertThat(refused(keeper.admit(shows(token("a-token-of-nobody-at-all")), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(refused(keeper.admit(shows(new ExtraData()), null))).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aTokenInPlainTextIsTakenFromLoopbackOnlyAndNotBesideTls() {
        ClientEntry shop = ClientEntry.ofToken("shop", TOKEN);
        Presented far = shows("10.0.0.7", false, List.of(), "orders", token(TOKEN));
        Presented near = shows("127.0.0.1", false, List.of(), "orders", token(TOKEN));

        assertThat(refused(keeper(shop).admit(far, null))).isEqualTo(ErrorCode.TOKEN_EXPOSED);
        admitted(keeper(shop).admit(near, null));
        assertThat(refused(keeper(SeataResourceManagers.REFUSE, true, shop).admit(near, null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void theApplicationMustBeOneOfTheClients() {
        Doorkeeper keeper = keeper(entry("shop", List.of(new Secret(TOKEN)), List.of(), "orders", "stock-*"));

        admitted(keeper.admit(shows(token(TOKEN)), null));
        admitted(keeper.admit(shows("10.0.0.7", true, List.of(), "stock-7", token(TOKEN)), null));
        assertThat(refused(keeper.admit(shows("10.0.0.7", true, List.of(), "accounts", token(TOKEN)), null)))
                .isEqualTo(ErrorCode.APPLICATION_NOT_PERMITTED);
    }

    @Test
    void aCertificateSaysWhoItIsWhenNothingElseIsShown() {
        Doorkeeper keeper = keeper(
                entry("by-cn", List.of(), List.of("orders")),
                entry("by-san", List.of(), List.of("*.stock.test")),
                entry("by-dn", List.of(), List.of("CN=accounts,O=Bank")),
                ClientEntry.ofToken("shop", TOKEN));

        assertThat(identityOf(keeper, AUTHORITY.issue("orders"))).isEqualTo("by-cn");
        assertThat(identityOf(keeper, AUTHORITY.issue("any", "a.stock.test"))).isEqualTo("by-san");
        assertThat(identityOf(keeper, AUTHORITY.issue("accounts, o=bank"))).isEqualTo("by-dn");
        List<X509Certificate> unknown = List.of(AUTHORITY.issue("accounts").certificate());
        assertThat(refused(keeper.admit(shows("10.0.0.7", true, unknown, "orders", new ExtraData()), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        List<X509Certificate> orders = List.of(AUTHORITY.issue("orders").certificate());
        assertThat(admitted(keeper.admit(shows("10.0.0.7", true, orders, "orders", token(TOKEN)), null))
                        .identity()
                        .name())
                .isEqualTo("shop");
        assertThat(refused(keeper.admit(
                        shows("10.0.0.7", true, orders, "orders", token("wrong-wrong-wrong-wrong")), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    private static String identityOf(Doorkeeper keeper, Issued certificate) {
        return admitted(keeper.admit(
                        shows("10.0.0.7", true, List.of(certificate.certificate()), "orders", new ExtraData()), null))
                .identity()
                .name();
    }

    @Test
    void aDigestIsTakenWithinItsTimeAndFromOneAddress() {
        Doorkeeper keeper = keeper(accessKey("seata", "ak", SECRET));
        ExtraData digest = digest("ak", SECRET, now.get());

        assertThat(admitted(keeper.admit(shows("10.0.0.7", false, List.of(), "orders", digest), null))
                        .identity()
                        .name())
                .isEqualTo("seata");
        admitted(keeper.admit(shows("10.0.0.7", false, List.of(), "orders", digest), null));
        assertThat(refused(keeper.admit(shows("10.0.0.8", false, List.of(), "orders", digest), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        now.set(now.get().plus(Doorkeeper.DIGEST_WINDOW).plusMillis(1));
        assertThat(refused(keeper.admit(shows("10.0.0.7", false, List.of(), "orders", digest), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        admitted(keeper.admit(shows("10.0.0.8", false, List.of(), "orders", digest("ak", SECRET, now.get())), null));
    }

    @Test
    void aDigestFromTheFutureCannotBeReplayedUntilItsTimeIsOver() {
        Doorkeeper keeper = keeper(accessKey("seata", "ak", SECRET));
        ExtraData digest = digest("ak", SECRET, now.get().plus(Doorkeeper.DIGEST_WINDOW));
        admitted(keeper.admit(shows("10.0.0.7", false, List.of(), "orders", digest), null));

        now.set(now.get().plus(Doorkeeper.DIGEST_WINDOW.multipliedBy(2)));
        assertThat(refused(keeper.admit(shows("10.0.0.8", false, List.of(), "orders", digest), null)))
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aWrongDigestIsRefused() {
        Doorkeeper keeper = keeper(accessKey("seata", "ak", SECRET));
        for (ExtraData wrong : List.of(
                digest("ak", new Secret("wrong"), now.get()),
                digest("unknown", SECRET, now.get()),
                digest("ak", SECRET, now.get()).with(ExtraData.IP, "192.168.1.6"),
                digest("ak", SECRET, now.get()).with(ExtraData.TIMESTAMP, "soon"),
                new ExtraData().with(ExtraData.ACCESS_KEY, "ak"),
                // What Seata's client sends without a secret key.
                digest("ak", SECRET, now.get()).with(ExtraData.DIGEST, "group,192.168.1.5,1"))) {
            assertThat(refused(keeper.admit(shows("10.0.0.7", false, List.of(), "orders", wrong), null)))
                    .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        }
    }

    @Test
    void aConnectionStaysWhoItIs() {
        Doorkeeper keeper = keeper(ClientEntry.ofToken("shop", TOKEN), ClientEntry.ofToken("bank", OTHER_TOKEN));
        Credential shop = admitted(keeper.admit(shows(token(TOKEN)), null));

        assertThat(admitted(keeper.admit(shows(token(TOKEN)), shop)).identity().name())
                .isEqualTo("shop");
        assertThat(refused(keeper.admit(shows(token(OTHER_TOKEN)), shop))).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aResourceManagerMayBeTakenForItsTransactionManagersClient() {
        ClientEntry seata = accessKey("seata", "ak", SECRET, "jdbc:*");
        Presented bare = shows("10.0.0.7", false, List.of(), "orders", new ExtraData());
        Doorkeeper strict = keeper(seata);
        Doorkeeper lenient = keeper(SeataResourceManagers.BY_TRANSACTION_MANAGER, false, seata);
        Credential manager = admitted(
                lenient.admit(shows("10.0.0.7", false, List.of(), "orders", digest("ak", SECRET, now.get())), null));

        assertThat(refused(strict.admit(bare, null))).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(lenient.admit(bare, null)).isInstanceOf(Admission.DependsOnTransactionManager.class);
        assertThat(lenient.lends(manager)).isTrue();
        assertThat(strict.lends(manager)).isFalse();
        Credential borrowed = admitted(lenient.admitBy(bare, manager));
        assertThat(borrowed.identity().mayUse("jdbc:mysql://db/shop")).isTrue();
        assertThat(borrowed.identity().mayUse("tcc-action")).isFalse();
        assertThat(lenient.lends(borrowed)).isFalse();
        assertThat(refused(lenient.admitBy(bare, null))).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void whatDoesNotHoldAnyMoreIsNotRenewed() throws Exception {
        Path file = Files.writeString(directory.resolve("tokens"), TOKEN + "\n\n" + OTHER_TOKEN + "\n");
        Doorkeeper keeper =
                keeper(new ClientEntry("shop", List.of(), file, null, null, List.of(), List.of(), List.of()));
        Credential first = admitted(keeper.admit(shows(token(TOKEN)), null));
        Credential second = admitted(keeper.admit(shows(token(OTHER_TOKEN)), null));

        Files.writeString(file, OTHER_TOKEN);
        assertThat(keeper.reload()).isTrue();

        assertThat(keeper.renew(first, List.of(), null)).isNull();
        assertThat(keeper.renew(second, List.of(), null)).isNotNull();
        assertThat(refused(keeper.admit(shows(token(TOKEN)), null))).isEqualTo(ErrorCode.CLIENT_UNKNOWN);

        Files.writeString(file, "\n");
        assertThat(keeper.reload()).isFalse();
        admitted(keeper.admit(shows(token(OTHER_TOKEN)), null));
        Files.delete(file);
        assertThat(keeper.reload()).isFalse();
        admitted(keeper.admit(shows(token(OTHER_TOKEN)), null));
    }

    @Test
    void aCertificateIsAskedForAgainWhenTrustChanges() {
        Doorkeeper keeper = keeper(entry("shop", List.of(), List.of("orders")));
        Issued own = AUTHORITY.issue("orders");
        List<X509Certificate> chain = List.of(own.certificate(), own.authority());
        Credential credential = admitted(keeper.admit(shows("10.0.0.7", true, chain, "orders", new ExtraData()), null));

        assertThat(keeper.renew(credential, chain, null)).isNotNull();
        assertThat(keeper.renew(credential, chain, TestAuthority.trust(AUTHORITY)))
                .isNotNull();
        assertThat(keeper.renew(credential, chain, TestAuthority.trust(new TestAuthority("theirs"))))
                .isNull();
        assertThat(keeper().renew(Credential.NONE, chain, TestAuthority.trust(new TestAuthority("theirs"))))
                .isNull();
    }

    @Test
    void whatCannotBeMeantIsRefusedAtTheStart() throws Exception {
        Secret token = new Secret(TOKEN);
        Path empty = Files.writeString(directory.resolve("empty"), " \n");
        refusedStart("txn.coordinator.clients[0]", entry("shop", List.of(), List.of()));
        refusedStart("txn.coordinator.clients[0].name", ClientEntry.ofToken(" ", TOKEN));
        refusedStart("txn.coordinator.clients[0].token", ClientEntry.ofToken("shop", "short"));
        refusedStart("txn.coordinator.clients[0].token", ClientEntry.ofToken("shop", "with a blank in its middle"));
        refusedStart(
                "txn.coordinator.clients[1].name",
                ClientEntry.ofToken("shop", TOKEN),
                ClientEntry.ofToken("shop", OTHER_TOKEN));
        refusedStart(
                "txn.coordinator.clients[1].token",
                ClientEntry.ofToken("shop", TOKEN),
                ClientEntry.ofToken("bank", TOKEN));
        refusedStart(
                "txn.coordinator.clients[0].access-key",
                new ClientEntry("s", List.of(), null, "ak", null, List.of(), List.of("orders"), List.of()));
        refusedStart(
                "txn.coordinator.clients[0].applications",
                new ClientEntry("s", List.of(), null, "ak", SECRET, List.of(), List.of(), List.of()));
        refusedStart(
                "txn.coordinator.clients[1].access-key", accessKey("a", "ak", SECRET), accessKey("b", "ak", SECRET));
        refusedStart("txn.coordinator.clients[0].applications", entry("s", List.of(token), List.of(), " "));
        assertThatThrownBy(
                        () -> keeper(SeataResourceManagers.BY_TRANSACTION_MANAGER, false, accessKey("s", "ak", SECRET)))
                .isInstanceOfSatisfying(TxnException.class, e -> assertThat(e.facts())
                        .containsEntry("key", "txn.coordinator.clients[0].resources"));
        for (Path file : List.of(empty, directory.resolve("missing"))) {
            assertThatThrownBy(() ->
                            keeper(new ClientEntry("s", List.of(), file, null, null, List.of(), List.of(), List.of())))
                    .isInstanceOfSatisfying(TxnException.class, e -> {
                        assertThat(e.code()).isEqualTo(ErrorCode.CREDENTIALS_UNUSABLE);
                        assertThat(e.facts()).containsEntry("file", file);
                    });
        }
    }

    private void refusedStart(String key, ClientEntry... entries) {
        assertThatThrownBy(() -> keeper(entries)).isInstanceOfSatisfying(TxnException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
            assertThat(e.facts()).containsEntry("key", key);
            assertThat(e.getMessage()).doesNotContain(TOKEN, OTHER_TOKEN, "short", SECRET.reveal());
        });
    }

    @Test
    void secretsShowInNoText() {
        ClientEntry entry = new ClientEntry(
                "shop", List.of(new Secret(TOKEN)), null, "ak", SECRET, List.of(), List.of("orders"), List.of());
        Doorkeeper keeper = keeper(entry);
        Credential credential = admitted(keeper.admit(shows(token(TOKEN)), null));

        assertThat(entry.toString()).doesNotContain(TOKEN, SECRET.reveal());
        assertThat(new AccessRules(List.of(entry), SeataResourceManagers.REFUSE).toString())
                .doesNotContain(TOKEN, SECRET.reveal());
        assertThat(credential.toString()).isEqualTo("shop by Token");
        assertThat(shows(token(TOKEN)).toString()).doesNotContain(TOKEN);
    }
}
