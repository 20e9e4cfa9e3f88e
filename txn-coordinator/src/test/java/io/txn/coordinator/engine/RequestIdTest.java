package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.journal.FileJournal;
import io.txn.coordinator.journal.FileJournalOptions;
import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.Answer;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.BranchType;
import io.txn.protocol.Xid;
import io.txn.test.Await;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests whose answer was lost: the record is on the disk, the coordinator goes down before it could answer, and whoever asks the next one again gets
 * what was recorded. The journal is real; what is held back is its word that a record is durable.
 */
@Timeout(60)
class RequestIdTest {

    private static final ClientId SHOP = new ClientId("shop", "10.0.0.1", 1);
    private static final ClientId SHOP_AGAIN = new ClientId("shop", "10.0.0.1", 2);
    private static final ClientId STRANGER = new ClientId("stranger", "10.0.0.1", 3);

    @TempDir
    Path directory;

    private HeldJournal journal;
    private Engine engine;

    @BeforeEach
    void start() {
        journal = new HeldJournal(FileJournal.open(directory, FileJournalOptions.DEFAULTS));
        engine = Engine.start(
                new Rules(10_000, 100, 0, 20, 200, 60_000),
                Settings.usual().build(),
                journal,
                InstantSource.system(),
                new SplittableRandom(1),
                new BranchCaller() {
                    @Override
                    public void call(Effect.CallBranch call, CallEnd end) {
                        end.ended(Answer.DONE, null);
                    }

                    @Override
                    public boolean canCall(Effect.CallBranch call) {
                        return true;
                    }
                });
    }

    @AfterEach
    void stop() {
        journal.letGo();
        engine.close();
    }

    /** The disk has the record, and nobody hears of it any more. */
    private void loseTheAnswer(Command command) {
        journal.hold();
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        engine.submit(command, reply::complete);
        Await.until("the record is on the disk", Duration.ofSeconds(20), () -> journal.held() > 0);
        journal.breakDown();
        assertThat(reply.orTimeout(20, TimeUnit.SECONDS).join()).isInstanceOf(Reply.Rejected.class);
        engine.close();
        start();
    }

    private Reply give(Command command) {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        engine.submit(command, reply::complete);
        return reply.orTimeout(20, TimeUnit.SECONDS).join();
    }

    private List<GlobalTransaction> transactions() {
        return engine.read(shard -> List.copyOf(shard.transactionsAfter(0))).join();
    }

    private static Command begin(ClientId client, long id) {
        return new Command.Begin("c:1", "buy", client, 60_000, null, id);
    }

    private static Command register(Xid xid, long id) {
        return new Command.RegisterBranch(
                xid, BranchType.AT, "db", SHOP_AGAIN, LockKeys.parse("t:1", 9), true, null, null, 0, id);
    }

    @Test
    void aBeginAskedAgainAfterARestartFindsItsTransaction() {
        loseTheAnswer(begin(SHOP, 77));
        assertThat(transactions()).hasSize(1);
        Xid opened = transactions().get(0).xid();
        assertThat(give(begin(SHOP_AGAIN, 77))).isEqualTo(new Reply.Begun(opened));
        assertThat(give(begin(STRANGER, 77))).as("another application's id").isNotEqualTo(new Reply.Begun(opened));
        assertThat(give(begin(SHOP, 78))).isNotEqualTo(new Reply.Begun(opened));
        assertThat(transactions()).hasSize(3);
    }

    @Test
    void aBeginWithoutAnIdIsANewOne() {
        loseTheAnswer(begin(SHOP, 0));
        give(begin(SHOP, 0));
        assertThat(transactions()).hasSize(2);
    }

    @Test
    void aRegistrationAskedAgainAfterARestartFindsItsBranch() {
        Xid xid = ((Reply.Begun) give(begin(SHOP, 77))).xid();
        loseTheAnswer(register(xid, 5));
        long branch = transactions().get(0).branches().get(0).id();
        assertThat(give(register(xid, 5))).isEqualTo(new Reply.Registered(branch));
        assertThat(give(register(xid, 0))).isNotEqualTo(new Reply.Registered(branch));
        assertThat(transactions().get(0).branches()).hasSize(2);
        give(new Command.Commit(xid));
        assertThat(give(register(xid, 5)))
                .as("rows that are free again must not be committed")
                .isInstanceOf(Reply.NotActive.class);
    }

    @Test
    void idsOutliveASnapshotToo() {
        Xid xid = ((Reply.Begun) give(begin(SHOP, 77))).xid();
        long branch = ((Reply.Registered) give(register(xid, 5))).branch();
        Xid other = ((Reply.Begun) give(begin(SHOP, 78))).xid();
        byte[] snapshot = engine.read(shard -> {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    try {
                        SnapshotCodec.write(new EntrySequence.State(1, 2, List.of()), 77, shard.capture(), bytes);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                    return bytes.toByteArray();
                })
                .join();
        Shard restored = new Shard(new Rules(10_000, 100, 0, 20, 200, 60_000));
        try {
            SnapshotCodec.read(new ByteArrayInputStream(snapshot), restored, new EntrySequence(), new Interner());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        assertThat(restored.decide(register(xid, 5), 1).reply()).isEqualTo(new Reply.Registered(branch));
        assertThat(restored.decide(begin(SHOP, 78), 1).reply()).isEqualTo(new Reply.Begun(other));
        assertThat(restored.decide(begin(SHOP, 77), 1).reply()).isNotEqualTo(new Reply.Begun(xid));
    }
}
