package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.client.ContextCarrier;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceJanitor;
import io.txn.client.fence.FenceKey;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.FencePhase;
import io.txn.client.fence.FenceVerdict;
import io.txn.protocol.BranchId;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.spring.ActionFences;
import io.txn.spring.FenceTemplate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;

class FenceTemplateTest {

    private static final FenceKey KEY = new FenceKey(Xid.of("127.0.0.1:8091", 7), new BranchId(8), "charge");

    private final DefaultListableBeanFactory beans = new DefaultListableBeanFactory();
    private final FenceJanitor janitor = new FenceJanitor(Duration.ofDays(1), new SplittableRandom(1));
    private final ActionFences fences = new SpringActionFences(beans, FenceOptions.DEFAULTS, janitor);
    private final FenceTemplate fence = new FenceTemplate(() -> fences, new ContextCarrier());

    @AfterEach
    void stop() {
        janitor.close();
    }

    private DataSource database(String name) {
        JdbcDataSource source = new JdbcDataSource();
        source.setURL("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1");
        beans.registerSingleton(name, source);
        beans.registerSingleton(name + "Transactions", new DataSourceTransactionManager(source));
        return source;
    }

    /** What hand-written code kept comes back as it was, and its row is marked as one that hears of no end. */
    @Test
    void rowsOfHandWrittenCodeAreMarkedAndNobodySeesTheMark() throws Throwable {
        JdbcTemplate jdbc = new JdbcTemplate(database("orders"));
        FenceKey silent = new FenceKey(KEY.xid(), KEY.branch(), "silent");
        fence.pass(KEY, FencePhase.BEGIN, passage -> "");
        List<String> data = new ArrayList<>();
        for (int call = 0; call < 2; call++) {
            Fence.Passed<?> passed = fence.pass(KEY, FencePhase.FIRST, passage -> {
                passage.keep("\"c-1\"");
                return "";
            });
            assertThat(passed.kept()).isEqualTo("\"c-1\"");
            assertThat(passed.verdict()).isEqualTo(call == 0 ? FenceVerdict.RUN : FenceVerdict.REPEATED);
            assertThat(fence.pass(silent, FencePhase.FIRST, passage -> "").kept())
                    .isNull();
        }
        assertThat(jdbc.queryForList(
                        "SELECT data FROM txn_fence WHERE state = 2 AND branch_id <> 0 ORDER BY part", String.class))
                .containsExactly("txn:by-hand:\"c-1\"", "txn:by-hand");
        fence.pass(KEY, FencePhase.CANCEL, passage -> data.add(passage.data()));
        fence.pass(silent, FencePhase.CANCEL, passage -> data.add(passage.data()));
        assertThat(data).containsExactly("\"c-1\"", null);
    }

    @Test
    void whoHasSeveralDataSourcesIsToldToNameOne() throws Throwable {
        database("orders");
        database("ledger");
        TxnException refused =
                catchThrowableOfType(TxnException.class, () -> fence.pass(KEY, FencePhase.FIRST, passage -> ""));
        assertThat(refused.code()).isEqualTo(ErrorCode.ACTION_MISDECLARED);
        assertThat(String.valueOf(refused.facts().get("expected")))
                .contains("fence.in(\"")
                .doesNotContain("Fencing");
        assertThat(fence.in("ledger").pass(KEY, FencePhase.FIRST, passage -> "").verdict())
                .isEqualTo(FenceVerdict.RUN);
    }
}
