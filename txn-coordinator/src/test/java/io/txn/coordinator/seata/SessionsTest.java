package io.txn.coordinator.seata;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.access.Credential;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.BranchType;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import io.txn.protocol.transport.RpcServer;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.Await;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The choice of a connection for a branch call, over real connections. */
@Timeout(30)
class SessionsTest {

    private static final RpcHandler SILENT = (connection, frame) -> {};

    private final BlockingQueue<RpcConnection> accepted = new LinkedBlockingQueue<>();
    private final TransportOptions options = TransportOptions.DEFAULTS.withIoThreads(1);
    private final RpcServer server = RpcServer.bind("127.0.0.1", 0, options, new RpcHandler() {
        @Override
        public void opened(RpcConnection connection) {
            accepted.add(connection);
        }

        @Override
        public void received(RpcConnection connection, Frame frame) {}
    });
    private final RpcClient client = new RpcClient(options);
    private final Sessions sessions = new Sessions();

    @AfterEach
    void stop() {
        client.close();
        server.close();
    }

    private Session session(String application, String... resources) throws Exception {
        return session("2.6.0", application, List.of(resources));
    }

    private Session session(String version, String application, List<String> resources) throws Exception {
        client.connect("127.0.0.1", server.port(), SILENT).get(10, TimeUnit.SECONDS);
        Session session =
                new Session(accepted.poll(10, TimeUnit.SECONDS), application, "group", version, Credential.NONE);
        sessions.add(session);
        assertThat(sessions.addResources(session, resources, 100)).isTrue();
        return session;
    }

    private Session choose(String resource, ClientId client, BranchType type, int attempt) {
        return choose(Outcome.ROLLBACK, resource, client, type, attempt);
    }

    private Session choose(Outcome phase, String resource, ClientId client, BranchType type, int attempt) {
        return sessions.choose(new Effect.CallBranch(1, "c:1", 2, type, resource, client, null, phase, false, attempt));
    }

    private static ClientId elsewhere(String application) {
        return new ClientId(application, "10.9.9.9", 1);
    }

    private static ClientId restarted(Session session) {
        return new ClientId(session.client.application(), session.client.host(), 1);
    }

    @Test
    void theVeryConnectionIsPreferred() throws Exception {
        Session one = session("shop", "db");
        Session two = session("shop", "db");
        assertThat(choose("db", two.client, BranchType.TCC, 1)).isSameAs(two);
        assertThat(choose("db", one.client, BranchType.TCC, 1)).isSameAs(one);
    }

    @Test
    void eachAttemptGoesOnToTheNextChoice() throws Exception {
        Session stranger = session("other", "db");
        Session neighbour = session("shop", "db");
        Session one = session("shop", "db");
        assertThat(choices(one.client, BranchType.AT, 6))
                .containsExactly(one, neighbour, stranger, one, neighbour, stranger);
        assertThat(choices(one.client, BranchType.TCC, 3)).containsExactly(one, neighbour, one);
        assertThat(choices(elsewhere("shop"), BranchType.AT, 4)).containsExactly(neighbour, one, stranger, neighbour);
        assertThat(choices(elsewhere("other"), BranchType.XA, 2)).containsExactly(stranger, stranger);
    }

    private List<Session> choices(ClientId client, BranchType type, int attempts) {
        return IntStream.rangeClosed(1, attempts)
                .mapToObj(attempt -> choose("db", client, type, attempt))
                .toList();
    }

    @Test
    void thenAnotherOfTheSameApplicationHereOrElsewhere() throws Exception {
        Session stranger = session("other", "db");
        Session one = session("shop", "db");
        Session two = session("shop", "db");
        assertThat(List.of(
                        choose("db", restarted(one), BranchType.TCC, 1),
                        choose("db", restarted(one), BranchType.TCC, 2)))
                .containsExactlyInAnyOrder(one, two);
        assertThat(choose("db", elsewhere("shop"), BranchType.TCC, 1)).isIn(one, two);
        assertThat(choose("db", elsewhere("other"), BranchType.TCC, 1)).isSameAs(stranger);
    }

    @Test
    void aSagaStaysWithTheEngineThatOwesAnAnswer() throws Exception {
        session("shop", "db");
        Session busy = session("till", "shop#group");
        ClientId client = elsewhere("shop");
        assertThat(sessions.engineOf(1, "shop#group", client)).isSameAs(busy);
        Session preferred = session("shop", "shop#group");
        assertThat(sessions.engineOf(2, "shop#group", client)).isSameAs(preferred);
        assertThat(sessions.engineOf(1, "shop#group", client)).isSameAs(busy);
        sessions.answered(1, busy);
        assertThat(sessions.engineOf(1, "shop#group", client)).isSameAs(preferred);
        preferred.connection.close();
        Await.until("it is closed", Duration.ofSeconds(10), () -> !preferred.connection.isOpen());
        assertThat(sessions.engineOf(1, "shop#group", client)).isSameAs(busy);
    }

    @Test
    void onlyAtGoesToAnotherApplication() throws Exception {
        Session stranger = session("other", "db");
        session("third", "elsewhere");
        assertThat(choose("db", elsewhere("shop"), BranchType.AT, 1)).isSameAs(stranger);
        assertThat(choose("db", elsewhere("shop"), BranchType.TCC, 1)).isNull();
        assertThat(choose("db", elsewhere("shop"), BranchType.XA, 1)).isNull();
        assertThat(choose("db", elsewhere("shop"), BranchType.SAGA_ANNOTATION, 1))
                .isNull();
    }

    /** Those who only share a resource may not have it: its owner goes first, however late it came (back), and also the one on another host. */
    @ParameterizedTest
    @EnumSource(
            value = BranchType.class,
            names = {"AT", "TCC", "XA", "SAGA_ANNOTATION"})
    void whoRegisteredTheResourceGoesBeforeThoseWhoOnlyShareIt(BranchType type) throws Exception {
        Session gone = session("shop", "db");
        Session sharer = session("shop", "queue");
        gone.connection.close();
        Await.until("closed", Duration.ofSeconds(10), () -> !gone.connection.isOpen());
        sessions.remove(gone);
        assertThat(choose("db", gone.client, type, 1)).isNull();
        Session back = session("shop", "db");
        for (Outcome phase : List.of(Outcome.COMMIT, Outcome.ROLLBACK)) {
            boolean lent = type == BranchType.TCC
                    || type == BranchType.SAGA_ANNOTATION
                    || (type == BranchType.AT && phase == Outcome.ROLLBACK);
            for (ClientId client : List.of(gone.client, back.client, elsewhere("shop"))) {
                assertThat(choose(phase, "db", client, type, 1))
                        .as("%s of %s", phase, client)
                        .isSameAs(back);
                assertThat(choose(phase, "db", client, type, 2)).isSameAs(lent ? sharer : back);
                assertThat(choose(phase, "db", client, type, 3)).isSameAs(back);
            }
            assertThat(choose(phase, "db", sharer.client, type, 1))
                    .as("the very connection that registered the branch")
                    .isSameAs(lent ? sharer : back);
        }
    }

    @Test
    void anOwnerInAnotherApplicationGoesBeforeThoseWhoOnlyShare() throws Exception {
        Session sharer = session("shop", "queue");
        Session owner = session("shop", "db");
        Session stranger = session("other", "db");
        assertThat(choices(restarted(owner), BranchType.AT, 4)).containsExactly(owner, stranger, sharer, owner);
        assertThat(choices(restarted(owner), BranchType.TCC, 3)).containsExactly(owner, sharer, owner);
        assertThat(choices(restarted(owner), BranchType.XA, 2)).containsExactly(owner, owner);
    }

    @Test
    void annotatedSagasAreNeverSpokenOfToClientsThatDoNotKnowThem() throws Exception {
        for (String version : Arrays.asList("2.0.0", "2.2.9", "1.5.2", "nonsense", null)) {
            Session old = session(version, "shop", List.of("reserve"));
            assertThat(choose("reserve", old.client, BranchType.SAGA_ANNOTATION, 1))
                    .as(version)
                    .isNull();
            assertThat(choose("reserve", old.client, BranchType.TCC, 1)).isSameAs(old);
        }
        Session able = session("2.3.0", "shop", List.of("reserve"));
        for (int attempt = 1; attempt < 5; attempt++) {
            assertThat(choose("reserve", elsewhere("shop"), BranchType.SAGA_ANNOTATION, attempt))
                    .isSameAs(able);
        }
    }

    @Test
    void resourceManagersOfOneApplicationOnOneHostShareTheirResources() throws Exception {
        Session one = session("shop", "db");
        Session two = session("shop", "queue");
        Session initiator = session("shop");
        assertThat(choose("db", two.client, BranchType.TCC, 1)).isSameAs(two);
        assertThat(choose("queue", one.client, BranchType.TCC, 1)).isSameAs(one);
        assertThat(choose("db", initiator.client, BranchType.TCC, 1)).isSameAs(one);
    }

    @Test
    void whoIsGoneIsNotChosen() throws Exception {
        Session one = session("shop", "db");
        Session two = session("shop", "db");
        one.connection.close();
        Await.until("closed", Duration.ofSeconds(10), () -> !one.connection.isOpen());
        assertThat(choose("db", one.client, BranchType.TCC, 1)).isSameAs(two);
        sessions.remove(one);
        sessions.remove(two);
        assertThat(choose("db", two.client, BranchType.AT, 1)).isNull();
        assertThat(sessions.addResources(two, List.of("db"), 100)).isTrue();
        assertThat(choose("db", two.client, BranchType.AT, 1)).isNull();
        assertThat(sessions.size()).isZero();
    }

    @Test
    void aConnectionMayNotRegisterWithoutBound() throws Exception {
        Session one = session("shop", "a", "b");
        assertThat(sessions.addResources(one, List.of("c", "d"), 3)).isFalse();
        assertThat(choose("c", one.client, BranchType.AT, 1)).isNull();
    }

    @Test
    void whatIsRegisteredAgainCountsOnce() throws Exception {
        Session one = session("shop", "a", "b");
        assertThat(sessions.addResources(one, List.of("b", "a"), 2)).isTrue();
        assertThat(sessions.addResources(one, List.of("a", "c", "c"), 3)).isTrue();
        assertThat(sessions.addResources(one, List.of("a", "d"), 3)).isFalse();
        assertThat(sessions.resources()).containsExactlyInAnyOrder("a", "b", "c");
    }
}
