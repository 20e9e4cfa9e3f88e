package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.txn.test.Await;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two application contexts in one JVM: each has a client, a context and data sources of its own. */
@Timeout(120)
class TwoContextsIT {

    private static final Duration MAX = Duration.ofSeconds(60);

    @TempDir
    Path directory;

    private TestCoordinator coordinator;
    private SmallShop first;
    private SmallShop second;

    @BeforeEach
    void start() {
        coordinator = TestCoordinator.start(directory);
        first = SmallShop.start("first", coordinator.property());
        second = SmallShop.start("second", coordinator.property());
    }

    @AfterEach
    void stop() {
        second.close();
        first.close();
        coordinator.close();
    }

    @Test
    void aTransactionOfOneIsNoneOfTheOther() {
        IllegalStateException wish = new IllegalStateException("roll back");
        assertThat(catchThrowable(() -> first.sell(1, () -> {
                    assertThat(first.xid()).isNotNull();
                    assertThat(second.xid()).isNull();
                    second.plain(1);
                    assertThat(second.undoRecords()).isZero();
                    String own = second.sell(2, () -> {});
                    assertThat(own).isNotEqualTo(first.xid());
                    throw wish;
                })))
                .isSameAs(wish);
        assertThat(first.sold()).isEmpty();
        assertThat(second.sold()).containsExactly(1, 2);
        Await.until("nothing is left", MAX, () -> first.undoRecords() + second.undoRecords() == 0);
    }

    @Test
    void oneGoesOnWhenTheOtherEnds() {
        first.sell(1, () -> {});
        second.sell(1, () -> {});
        first.close();
        second.sell(2, () -> {});
        assertThat(catchThrowable(() -> second.sell(3, () -> {
                    throw new IllegalStateException("roll back");
                })))
                .hasMessage("roll back");
        assertThat(second.sold()).containsExactly(1, 2);
        Await.until("nothing is left", MAX, () -> second.undoRecords() == 0);
    }
}
