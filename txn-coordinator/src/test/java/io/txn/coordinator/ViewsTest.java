package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.coordinator.lock.LockKeys;
import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Event;
import io.txn.coordinator.machine.Rules;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ViewsTest {

    private static final ClientId CLIENT = new ClientId("storage-service", "127.0.0.1", 4711);

    private final Shard shard = new Shard(new Rules(1_000, 1_000, 0, 100, 1_000, 1_000));

    @BeforeEach
    void threeTransactionsWithLocks() {
        begin(1);
        register(1, 11, "db", rows("stock", 0, 25_000));
        register(1, 12, "db", "stock:0,1;account:9");
        begin(2);
        begin(3);
        register(3, 31, "other", rows("t", 0, 7));
        register(3, 32, "db", "stock:30000");
    }

    private void begin(long number) {
        shard.apply(new Event.Begun(number, "127.0.0.1:8091", "purchase", CLIENT, 60_000), 1_000);
    }

    private void register(long number, long branch, String resource, String locks) {
        shard.apply(
                new Event.BranchRegistered(
                        number,
                        branch,
                        BranchType.AT,
                        resource,
                        CLIENT,
                        LockKeys.parse(locks, Integer.MAX_VALUE),
                        null),
                1_000);
    }

    private static String rows(String table, int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.joining(",", table + ":", ""));
    }

    private List<LockPage.Lock> allPages(String resource, int limit) {
        List<LockPage.Lock> all = new ArrayList<>();
        String after = null;
        for (int pages = 0; pages < 1_000; pages++) {
            LockPage page = Views.locks(shard, new LockQuery(resource, limit, after));
            assertThat(page.locks()).hasSizeLessThanOrEqualTo(limit);
            all.addAll(page.locks());
            after = page.next();
            if (after == null) {
                return all;
            }
        }
        throw new AssertionError("the pages do not end");
    }

    @Test
    void noPageOfLocksIsLongerThanItsLimitHoweverManyOneBranchHolds() {
        List<LockPage.Lock> all = allPages(null, 1_000);
        assertThat(all).hasSize((int) shard.locks().size()).doesNotHaveDuplicates();
        assertThat(all).hasSize(25_000 + 1 + 7 + 1);
        assertThat(allPages("other", 3))
                .extracting(LockPage.Lock::key)
                .containsExactly("0", "1", "2", "3", "4", "5", "6");
    }

    @Test
    void aPageGoesOnAfterItsTransactionHasEnded() {
        LockPage first = Views.locks(shard, new LockQuery(null, 10, null));
        shard.apply(new Event.CommitDecided(1, null), 2_000);
        LockPage second = Views.locks(shard, new LockQuery(null, 10, first.next()));
        assertThat(second.locks()).hasSize(8).allMatch(lock -> lock.xid().number() == 3);
        assertThat(second.next()).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "x", "1.2", "1.2.3.4", "1.-1.0", "1..0", "1.9999999999.0", "99999999999999999999.0.0"})
    void aCursorThatNoPageGaveIsRefused(String after) {
        assertThatThrownBy(() -> Views.locks(shard, new LockQuery(null, 10, after)))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_REQUEST));
    }

    @Test
    void aTransactionIsShownWithABoundedNumberOfLockKeysAndSaysThatThereAreMore() {
        TransactionDetail detail = Views.detail(shard, shard.transaction(1));
        assertThat(detail.branches().get(0).lockKeys())
                .hasSize(Views.MOST_LOCK_KEYS)
                .startsWith("stock:0", "stock:1");
        assertThat(detail.branches().get(0).moreLockKeys()).isTrue();
        assertThat(detail.branches().get(1).lockKeys()).isEmpty();
        assertThat(detail.branches().get(1).moreLockKeys()).isTrue();
        BranchDetail whole =
                Views.detail(shard, shard.transaction(3)).branches().get(1);
        assertThat(whole.lockKeys()).containsExactly("stock:30000");
        assertThat(whole.moreLockKeys()).isFalse();
    }
}
