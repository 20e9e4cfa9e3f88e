package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.ClientEntry;
import io.txn.coordinator.access.SeataResourceManagers;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.ExtraData;
import io.txn.protocol.access.Refusal;
import io.txn.protocol.access.SeataDigest;
import io.txn.protocol.access.Secret;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.codec.FrameCodec;
import io.txn.protocol.codec.FrameKind;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.RequestId;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.transport.ClientTls;
import io.txn.protocol.transport.ServerTls;
import io.txn.protocol.transport.ServerTls.ClientAuth;
import io.txn.protocol.transport.TlsContext;
import io.txn.test.TestAuthority;
import io.txn.test.TestAuthority.Issued;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who gets in, and who does not: a whole coordinator over TCP and TLS. */
@Timeout(120)
class CoordinatorAccessTest {

    private static final String SHOP = "a-token-of-the-test-1";
    private static final String BANK = "a-token-of-the-test-2";
    private static final Secret SECRET = new Secret("sk-of-the-test");
    private static final String DB = "jdbc:h2:mem:shop";
    private static final Map<String, String> WANTS_TO_KNOW = Map.of(Refusal.FEATURES, "lock-wait," + Refusal.FEATURE);

    private static final TestAuthority OURS = new TestAuthority("ours");
    private static final Issued SERVER = OURS.issue("coordinator", "127.0.0.1");

    @TempDir
    Path directory;

    private final List<AutoCloseable> toClose = new ArrayList<>();
    private Coordinator coordinator;

    @AfterEach
    void stop() throws Exception {
        for (int i = toClose.size() - 1; i >= 0; i--) {
            toClose.get(i).close();
        }
    }

    private static ClientEntry client(String name, String token, List<String> applications, List<String> resources) {
        return new ClientEntry(name, List.of(new Secret(token)), null, null, null, List.of(), applications, resources);
    }

    private static ClientEntry seata(String... resources) {
        return new ClientEntry(
                "seata", List.of(), null, "ak", SECRET, List.of(), List.of("orders"), List.of(resources));
    }

    private void start(ClientEntry... clients) {
        start(null, SeataResourceManagers.REFUSE, clients);
    }

    private void start(ServerTls tls, SeataResourceManagers seata, ClientEntry... clients) {
        coordinator = Coordinator.start(CoordinatorOptions.DEFAULTS
                .withListen("127.0.0.1", 0)
                .withDataDir(directory.resolve("data"))
                .withTls(tls)
                .withAccess(new AccessRules(List.of(clients), seata))
                .withRegistrationTimeout(Duration.ofSeconds(30)));
        toClose.add(coordinator);
    }

    private static ServerTls tls(ClientAuth clientAuth, boolean required) {
        TlsContext context = TlsContext.of(TestAuthority.context(SERVER, OURS));
        return new ServerTls(() -> context, clientAuth, required);
    }

    private HandDrivenClient plain() throws Exception {
        HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort());
        toClose.add(client);
        return client;
    }

    private HandDrivenClient encrypted(Issued own) throws Exception {
        TlsContext context = TlsContext.of(TestAuthority.context(own, OURS));
        HandDrivenClient client = new HandDrivenClient(coordinator.tcpPort(), new ClientTls(() -> context, null));
        toClose.add(client);
        return client;
    }

    private static String token(String token) {
        return new ExtraData().with(ExtraData.TOKEN, token).text();
    }

    private static String digest(Secret secret, Instant at) {
        return new ExtraData()
                .with(ExtraData.ACCESS_KEY, "ak")
                .with(ExtraData.DIGEST, SeataDigest.of(secret, "group", "10.1.1.1", at.toEpochMilli()))
                .with(ExtraData.TIMESTAMP, Long.toString(at.toEpochMilli()))
                .with(ExtraData.AUTH_VERSION, SeataDigest.VERSION)
                .with(ExtraData.GROUP, "group")
                .with(ExtraData.IP, "10.1.1.1")
                .text();
    }

    private static Message.Request tm(String application, String extra) {
        return new Message.RegisterTmRequest("2.6.0", application, "group", extra);
    }

    private static Message.Request rm(String application, String extra, String... resources) {
        return new Message.RegisterRmRequest("2.6.0", application, "group", extra, String.join(",", resources));
    }

    private static Frame answer(HandDrivenClient client, Message.Request registration) throws Exception {
        return client.connection()
                .request(registration, WANTS_TO_KNOW, Duration.ofSeconds(30))
                .get(30, TimeUnit.SECONDS);
    }

    private static boolean identified(Frame answer) {
        return answer.body() instanceof Message.RegisterTmResponse tm && tm.identified()
                || answer.body() instanceof Message.RegisterRmResponse rm && rm.identified();
    }

    private static void accepted(HandDrivenClient client, Message.Request registration) throws Exception {
        assertThat(identified(answer(client, registration))).isTrue();
    }

    /** Answered with the reason, and closed. */
    private static TxnException refused(HandDrivenClient client, Message.Request registration) throws Exception {
        Frame answer = answer(client, registration);
        assertThat(identified(answer)).isFalse();
        assertThat(client.awaitClosed()).isTrue();
        return Refusal.read(answer.head());
    }

    @Test
    void aTokenLetsInAndItsAbsenceDoesNot() throws Exception {
        start(client("shop", SHOP, List.of("orders"), List.of()));

        HandDrivenClient client = plain();
        accepted(client, tm("orders", token(SHOP)));
        accepted(client, rm("orders", token(SHOP), DB));
        String xid = client.begin(60_000);
        long branch = client.register(xid, BranchType.AT, DB, "t:1");
        assertThat(client.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
        assertThat(client.calls()).containsExactly("rollback " + branch);

        assertThat(refused(plain(), tm("orders", null)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(refused(plain(), rm("orders", null, DB)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        TxnException wrong = refused(plain(), tm("orders", token(BANK)));
        assertThat(wrong.code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(wrong.getMessage()).doesNotContain(BANK, SHOP);
        assertThat(refused(plain(), tm("accounts", token(SHOP))).code()).isEqualTo(ErrorCode.APPLICATION_NOT_PERMITTED);
        assertThat(coordinator.statistics().registrationsRefused()).isEqualTo(4);
    }

    @Test
    void aSeataClientThatIsRefusedGetsAnAnswerItKnows() throws Exception {
        start(client("shop", SHOP, List.of(), List.of()));
        HandDrivenClient client = plain();

        Message answer = client.send(tm("orders", "ak=null\ndigest=group,10.1.1.1,1\ntimestamp=1\n"))
                .get(30, TimeUnit.SECONDS);

        assertThat(answer)
                .isInstanceOfSatisfying(Message.RegisterTmResponse.class, response -> assertThat(response.identified())
                        .isFalse());
        assertThat(client.awaitClosed()).isTrue();
    }

    @Test
    void aResourceOutsideItsPatternsIsRefusedEverywhere() throws Exception {
        start(client("shop", SHOP, List.of(), List.of("jdbc:h2:mem:s*")));

        TxnException refusal = refused(plain(), rm("orders", token(SHOP), DB, "jdbc:h2:mem:accounts"));
        assertThat(refusal.code()).isEqualTo(ErrorCode.RESOURCE_NOT_PERMITTED);
        assertThat(refusal.facts()).containsEntry("resource", "jdbc:h2:mem:accounts");

        HandDrivenClient client = plain();
        accepted(client, tm("orders", token(SHOP)));
        String xid = client.begin(60_000);
        var branch = client.tryRegister(xid, BranchType.AT, "jdbc:h2:mem:accounts", "t:1", null);
        assertThat(branch.outcome().succeeded()).isFalse();
        assertThat(branch.outcome().message()).contains(ErrorCode.RESOURCE_NOT_PERMITTED.id());
        var query = client.ask(
                new Message.GlobalLockQueryRequest(xid, BranchType.AT, "jdbc:h2:mem:accounts", "t:1", null),
                Message.GlobalLockQueryResponse.class);
        assertThat(query.outcome().succeeded()).isFalse();
        assertThat(query.lockable()).isFalse();
        client.register(xid, BranchType.AT, DB, "t:1");
    }

    @Test
    void branchCallsGoToTheClientThatRegisteredTheResourceOnly() throws Exception {
        start(client("shop", SHOP, List.of(), List.of()), client("bank", BANK, List.of(), List.of()));
        HandDrivenClient shop = plain();
        accepted(shop, tm("orders", token(SHOP)));
        accepted(shop, rm("orders", token(SHOP), DB));
        // The same application name, as another client that never said it serves this database.
        HandDrivenClient bank = plain();
        accepted(bank, rm("orders", token(BANK), "jdbc:h2:mem:bank"));
        // Of the same client: it lends a hand.
        HandDrivenClient other = plain();
        accepted(other, rm("orders", token(SHOP), "jdbc:h2:mem:elsewhere"));
        String xid = other.begin(60_000);
        other.register(xid, BranchType.AT, DB, "t:1");
        other.close();
        shop.register(xid, BranchType.AT, DB, "t:2");

        assertThat(shop.rollback(xid)).isEqualTo(GlobalStatus.ROLLED_BACK);
        assertThat(shop.calls()).hasSize(2);
        assertThat(bank.calls()).isEmpty();
    }

    @Test
    void aRequestIdIsOneClientsOwn() throws Exception {
        start(client("shop", SHOP, List.of(), List.of()), client("bank", BANK, List.of(), List.of()));
        String xid = begin(registeredAs("orders", SHOP), 0xABCDL);
        // The same application name and the same id, which it has seen or guessed.
        HandDrivenClient bank = registeredAs("orders", BANK);
        String other = begin(bank, 0xABCDL);
        assertThat(other).isNotEqualTo(xid);
        HandDrivenClient shop = registeredAs("orders", SHOP);
        assertThat(begin(shop, 0xABCDL)).isEqualTo(xid);
        long branch = register(shop, xid, "t:1", 7);
        assertThat(register(registeredAs("orders", SHOP), xid, "t:1", 7)).isEqualTo(branch);
        assertThat(register(bank, xid, "t:1", 7)).isNotEqualTo(branch);

        coordinator.close();
        start(client("shop", SHOP, List.of(), List.of()), client("bank", BANK, List.of(), List.of()));
        assertThat(register(registeredAs("orders", SHOP), xid, "t:1", 7))
                .as("behind a restart")
                .isEqualTo(branch);
        assertThat(begin(registeredAs("orders", BANK), 0xABCDL)).isEqualTo(other);
    }

    private HandDrivenClient registeredAs(String application, String token) throws Exception {
        HandDrivenClient client = plain();
        Frame answer = client.connection()
                .request(rm(application, token(token), DB), Feature.announced(), HandDrivenClient.PATIENCE)
                .get(30, TimeUnit.SECONDS);
        assertThat(identified(answer)).isTrue();
        return client;
    }

    private static String begin(HandDrivenClient client, long id) throws Exception {
        Frame answer = asked(client, new Message.GlobalBeginRequest(60_000, "purchase"), id);
        return ((Message.GlobalBeginResponse) answer.body()).xid();
    }

    private static long register(HandDrivenClient client, String xid, String rows, long id) throws Exception {
        Frame answer = asked(client, new Message.BranchRegisterRequest(xid, BranchType.AT, DB, rows, null), id);
        return ((Message.BranchRegisterResponse) answer.body()).branchId();
    }

    private static Frame asked(HandDrivenClient client, Message.Request request, long id) throws Exception {
        Map<String, String> head = new HashMap<>();
        RequestId.write(id, head);
        return client.connection()
                .request(request, head, HandDrivenClient.PATIENCE)
                .get(30, TimeUnit.SECONDS);
    }

    @Test
    void aConnectionHasOneApplicationAndOneClient() throws Exception {
        start(client("shop", SHOP, List.of(), List.of()), client("bank", BANK, List.of(), List.of()));
        HandDrivenClient client = plain();
        accepted(client, tm("orders", token(SHOP)));

        Frame second = answer(client, rm("accounts", token(SHOP), DB));
        assertThat(identified(second)).isFalse();
        assertThat(Refusal.read(second.head()).code()).isEqualTo(ErrorCode.BAD_REQUEST);
        assertThat(refused(client, rm("orders", token(BANK), DB)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aDigestLetsInWhileItIsYoungAndFromOneAddress() throws Exception {
        start(seata());
        String digest = digest(SECRET, Instant.now());

        accepted(plain(), tm("orders", digest));
        accepted(plain(), rm("orders", digest, DB));
        assertThat(refused(plain(), tm("orders", digest(new Secret("wrong"), Instant.now())))
                        .facts()
                        .get("reason")
                        .toString())
                .contains("not right");
        assertThat(refused(plain(), tm("orders", digest(SECRET, Instant.now().minusSeconds(3600))))
                        .facts()
                        .get("reason")
                        .toString())
                .contains("s old");
        assertThat(refused(plain(), tm("accounts", digest)).code()).isEqualTo(ErrorCode.APPLICATION_NOT_PERMITTED);
        assertThat(answerFrom("127.0.0.2", tm("orders", digest))).isFalse();
        assertThat(answerFrom(
                        "127.0.0.2", tm("orders", digest(SECRET, Instant.now().plusMillis(1)))))
                .isTrue();
    }

    /** Whether a registration from this local address is accepted. */
    private boolean answerFrom(String address, Message.Request registration) throws Exception {
        FrameCodec codec = new FrameCodec(1 << 20);
        ByteBuf bytes = codec.encode(Frame.of(FrameKind.REQUEST, 1, registration), UnpooledByteBufAllocator.DEFAULT);
        try (Socket socket = new Socket(
                InetAddress.getByName("127.0.0.1"), coordinator.tcpPort(), InetAddress.getByName(address), 0)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(ByteBufUtil.getBytes(bytes));
            ByteBuf in = UnpooledByteBufAllocator.DEFAULT.buffer();
            try {
                while (true) {
                    int next = socket.getInputStream().read();
                    assertThat(next)
                            .as("the connection ended without an answer")
                            .isNotNegative();
                    in.writeByte(next);
                    if (codec.decode(in) instanceof Frame answer) {
                        return identified(answer);
                    }
                }
            } finally {
                in.release();
            }
        } finally {
            bytes.release();
        }
    }

    @Test
    void aSeataResourceManagerWaitsForItsTransactionManager() throws Exception {
        start(null, SeataResourceManagers.BY_TRANSACTION_MANAGER, seata("jdbc:h2:mem:*"));
        HandDrivenClient manager = plain();
        HandDrivenClient resources = plain();

        // After a restart of the coordinator it may be the first of the two to come back.
        CompletableFuture<Message> early = resources.send(rm("orders", null, DB));
        accepted(manager, tm("orders", digest(SECRET, Instant.now())));
        assertThat(((Message.RegisterRmResponse) early.get(30, TimeUnit.SECONDS)).identified())
                .isTrue();
        accepted(plain(), rm("orders", null, DB));
        assertThat(refused(plain(), rm("orders", null, "tcc-action")).code())
                .isEqualTo(ErrorCode.RESOURCE_NOT_PERMITTED);
        // Nobody vouches for this one: it is refused after some seconds.
        assertThat(refused(plain(), rm("accounts", null, DB)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aSeataResourceManagerIsRefusedUnlessThatIsAllowed() throws Exception {
        start(seata("jdbc:h2:mem:*"));
        accepted(plain(), tm("orders", digest(SECRET, Instant.now())));

        assertThat(refused(plain(), rm("orders", null, DB)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aCertificateLetsInOverMutualTls() throws Exception {
        start(
                tls(ClientAuth.NEED, true),
                SeataResourceManagers.REFUSE,
                new ClientEntry("shop", List.of(), null, null, null, List.of("orders"), List.of("orders"), List.of()));

        accepted(encrypted(OURS.issue("orders")), tm("orders", null));
        assertThat(refused(encrypted(OURS.issue("accounts")), tm("orders", null))
                        .code())
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void besideTlsPlainConnectionsComeInByAccessKeyOnly() throws Exception {
        start(
                tls(ClientAuth.NEED, false),
                SeataResourceManagers.REFUSE,
                seata(),
                client("shop", SHOP, List.of(), List.of()));

        accepted(encrypted(OURS.issue("whoever")), tm("orders", token(SHOP)));
        accepted(plain(), tm("orders", digest(SECRET, Instant.now())));
        assertThat(refused(plain(), tm("orders", token(SHOP))).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(refused(plain(), tm("orders", null)).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
    }

    @Test
    void aTokenTakenOutOfItsFileEndsItsSessions() throws Exception {
        Path tokens = Files.writeString(directory.resolve("tokens"), SHOP + "\n" + BANK + "\n");
        start(new ClientEntry("shop", List.of(), tokens, null, null, List.of(), List.of(), List.of()));
        HandDrivenClient old = plain();
        HandDrivenClient young = plain();
        accepted(old, tm("orders", token(SHOP)));
        accepted(young, tm("orders", token(BANK)));

        Path next = Files.writeString(directory.resolve("tokens.new"), BANK + "\n");
        Files.move(next, tokens, java.nio.file.StandardCopyOption.REPLACE_EXISTING);

        assertThat(old.awaitClosed()).isTrue();
        assertThat(refused(plain(), tm("orders", token(SHOP))).code()).isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        assertThat(young.begin(60_000)).isNotEmpty();
    }

    @Test
    void aCertificateThatIsNotTrustedAnyMoreEndsItsSessions() throws Exception {
        TestAuthority old = new TestAuthority("old");
        AtomicReference<TlsContext> current = new AtomicReference<>(trusting(OURS, old));
        start(
                new ServerTls(current::get, ClientAuth.NEED, true),
                SeataResourceManagers.REFUSE,
                new ClientEntry("shop", List.of(), null, null, null, List.of("orders"), List.of(), List.of()));
        HandDrivenClient byOld = encrypted(old.issue("orders"));
        HandDrivenClient byOurs = encrypted(OURS.issue("orders"));
        accepted(byOld, tm("orders", null));
        accepted(byOurs, tm("orders", null));

        current.set(trusting(OURS));
        coordinator.trustChanged();

        assertThat(byOld.awaitClosed()).isTrue();
        assertThat(byOurs.begin(60_000)).isNotEmpty();
    }

    @Test
    void aCertificateThatIsNotTrustedAnyMoreDoesNotRegisterOnAConnectionFromBefore() throws Exception {
        TestAuthority old = new TestAuthority("old");
        AtomicReference<TlsContext> current = new AtomicReference<>(trusting(OURS, old));
        start(
                new ServerTls(current::get, ClientAuth.NEED, true),
                SeataResourceManagers.REFUSE,
                new ClientEntry("shop", List.of(), null, null, null, List.of("orders"), List.of(), List.of()));
        HandDrivenClient byOld = encrypted(old.issue("orders"));
        // Its handshake is over on both sides.
        assertThat(refused(encrypted(old.issue("accounts")), tm("accounts", null))
                        .code())
                .isEqualTo(ErrorCode.CLIENT_UNKNOWN);
        HandDrivenClient byOurs = encrypted(OURS.issue("orders"));

        current.set(trusting(OURS));
        coordinator.trustChanged();

        assertThatThrownBy(() -> answer(byOld, tm("orders", null))).isInstanceOf(ExecutionException.class);
        assertThat(byOld.awaitClosed()).isTrue();
        accepted(byOurs, tm("orders", null));
    }

    @Test
    void aNameWithControlCharactersIsRefused() throws Exception {
        start(client("shop", SHOP, List.of(), List.of()));
        HandDrivenClient client = plain();

        for (Message.Request registration : List.of(
                tm("orders\n2026-01-01 ERROR", token(SHOP)),
                rm("orders", token(SHOP), "tcc\u001b[2J"),
                rm("orders\u2028", token(SHOP), DB))) {
            Frame answer = answer(client, registration);
            assertThat(identified(answer)).isFalse();
            assertThat(Refusal.read(answer.head()).code()).isEqualTo(ErrorCode.BAD_REQUEST);
        }
        accepted(client, tm("orders", token(SHOP)));
    }

    private static TlsContext trusting(TestAuthority... authorities) {
        return new TlsContext(
                TestAuthority.context(SERVER, authorities), List.of(), List.of(), TestAuthority.trust(authorities));
    }

    @Test
    void beyondLoopbackItStartsOnlyWhenClientsHaveToProveWhoTheyAre() {
        CoordinatorOptions exposed = CoordinatorOptions.DEFAULTS
                .withListen("0.0.0.0", 0)
                .withAdvertisedAddress("127.0.0.1:8091")
                .withDataDir(directory.resolve("exposed"));

        assertThatThrownBy(() -> Coordinator.start(exposed.withTls(tls(ClientAuth.WANT, true))))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.EXPOSED_WITHOUT_CREDENTIALS));
        assertThatThrownBy(() -> Coordinator.start(exposed.withTls(tls(ClientAuth.NEED, false))))
                .isInstanceOf(TxnException.class);
        assertThat(exposed.withTls(tls(ClientAuth.NEED, true)).authenticates()).isTrue();
        assertThat(exposed.withAccess(new AccessRules(
                                List.of(ClientEntry.ofToken("shop", SHOP)), SeataResourceManagers.REFUSE))
                        .authenticates())
                .isTrue();
    }
}
