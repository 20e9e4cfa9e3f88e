package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.access.AccessRules;
import io.txn.coordinator.access.Doorkeeper;
import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.saga.HttpTargets;
import io.txn.coordinator.seata.SeataAdapter;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Message;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.transport.RequestIds;
import io.txn.protocol.transport.RpcClient;
import io.txn.protocol.transport.RpcConnection;
import io.txn.protocol.transport.RpcHandler;
import io.txn.protocol.transport.RpcServer;
import io.txn.protocol.transport.TransportOptions;
import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The adapter over a real engine, journal and connection, with a disk that stalls when the test wants it to. */
@Timeout(60)
class AdapterUnderLoadTest {

    private static final TransportOptions ONE_THREAD = TransportOptions.DEFAULTS.withIoThreads(1);
    private static final int MAILBOX = 8;

    @TempDir
    Path directory;

    private final SeataAdapter adapter = new SeataAdapter(
            Duration.ofSeconds(5),
            new SeataAdapter.RequestLimits(200, 1_000, 100, 1_000_000, 100),
            new Doorkeeper(AccessRules.OPEN, false, InstantSource.system()),
            InstantSource.system(),
            "domain",
            new RequestIds(0),
            HttpTargets.NONE);
    private final RpcServer server = RpcServer.bind("127.0.0.1", 0, ONE_THREAD, adapter);
    private final RpcClient rpc = new RpcClient(ONE_THREAD);
    private HeldJournal journal;
    private Engine engine;
    private RpcConnection connection;

    @BeforeEach
    void start() throws Exception {
        journal = new HeldJournal(FileJournal.open(directory, FileJournalOptions.DEFAULTS));
        engine = Engine.start(
                new Rules(1_000, 10, 0, 20, 200, 60_000),
                Settings.usual()
                        .mailbox(MAILBOX)
                        .unwritten(1)
                        .callsInFlight(10)
                        .retentionCount(100)
                        .build(),
                journal,
                InstantSource.system(),
                new SplittableRandom(1),
                adapter.branchCaller());
        connection = rpc.connect("127.0.0.1", server.port(), new RollingBack()).get(10, TimeUnit.SECONDS);
    }

    /** A client whose branches can all be rolled back. */
    private static final class RollingBack implements RpcHandler {
        @Override
        public void received(RpcConnection source, Frame frame) {
            if (frame.body() instanceof Message.BranchRollbackRequest call) {
                source.respond(
                        frame,
                        new Message.BranchRollbackResponse(
                                Outcome.SUCCESS, call.xid(), call.branchId(), BranchStatus.PHASE_TWO_ROLLED_BACK));
            }
        }
    }

    @AfterEach
    void stop() {
        journal.letGo();
        rpc.close();
        engine.close();
        server.close();
    }

    private CompletableFuture<Message> send(Message request) {
        return connection.request(request, Duration.ofSeconds(30));
    }

    private String begin() throws Exception {
        Message answer =
                send(new Message.GlobalBeginRequest(60_000, "purchase")).get(10, TimeUnit.SECONDS);
        return ((Message.GlobalBeginResponse) answer).xid();
    }

    @Test
    void aDecisionForWhichThereIsNoRoomCostsNobodyElseTheConnection() throws Exception {
        adapter.serve(engine, "127.0.0.1:8091");
        send(new Message.RegisterTmRequest("2.6.0", "shop", "g", null)).get(10, TimeUnit.SECONDS);
        String first = begin();
        String second = begin();
        journal.hold();
        send(new Message.GlobalBeginRequest(60_000, "purchase"));
        Await.until("a begin is decided and waits for the disk", Duration.ofSeconds(10), () -> journal.held() == 1);
        List<CompletableFuture<Message>> begins = new ArrayList<>();
        for (int i = 0; i < 2 * MAILBOX; i++) {
            begins.add(send(new Message.GlobalBeginRequest(60_000, "purchase")));
        }
        // Half of the mailbox waits behind it, the others are refused.
        Await.until(
                "begins are refused",
                Duration.ofSeconds(10),
                () -> begins.stream().filter(CompletableFuture::isDone).count() == 2 * MAILBOX - MAILBOX / 2);
        List<CompletableFuture<Message>> commits = new ArrayList<>();
        for (int i = 0; i < 2 * MAILBOX; i++) {
            commits.add(send(new Message.GlobalCommitRequest(i == 0 ? first : second, null)));
        }
        CompletableFuture<Message> refused = send(new Message.GlobalBeginRequest(60_000, "purchase"));
        assertThat(((Message.GlobalBeginResponse) refused.get(10, TimeUnit.SECONDS)).xid())
                .isNull();
        assertThat(connection.isOpen()).isTrue();
        journal.letGo();
        assertThat(((Message.GlobalCommitResponse) commits.get(0).get(10, TimeUnit.SECONDS)).status())
                .isEqualTo(GlobalStatus.COMMITTED);
        // What found no room was not carried out behind its client's back, and is not answered.
        assertThat(begin()).isNotNull();
        assertThat(commits.stream().filter(CompletableFuture::isDone)).hasSize(MAILBOX / 2);
        assertThat(connection.isOpen()).isTrue();
    }

    @Test
    void whoRegistersBeforeTheAdapterServesIsNoticedAllTheSame() throws Exception {
        ClientId shop = new ClientId("shop", "127.0.0.1", 1);
        Xid xid = ((Reply.Begun) give(new Command.Begin("c:1", "buy", shop, 60_000))).xid();
        give(new Command.RegisterBranch(xid, BranchType.AT, "db", shop, null, false, null));
        assertThat(((Reply.Decided) give(new Command.Rollback(xid))).pass()).isEqualTo(Reply.Pass.UNREACHABLE);
        send(new Message.RegisterRmRequest("2.6.0", "shop", "g", null, "db")).get(10, TimeUnit.SECONDS);
        adapter.serve(engine, "127.0.0.1:8091");
        Await.until("rolled back", Duration.ofSeconds(10), () -> engine.read(
                        shard -> shard.transaction(xid).state().isFinal())
                .get(10, TimeUnit.SECONDS));
    }

    private Reply give(Command command) throws Exception {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        engine.submit(command, reply::complete);
        return reply.get(10, TimeUnit.SECONDS);
    }
}
