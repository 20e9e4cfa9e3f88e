package io.txn.test.seata;

import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.seata.saga.engine.StateMachineEngine;
import org.apache.seata.saga.engine.config.DbStateMachineConfig;
import org.apache.seata.saga.engine.impl.ProcessCtrlStateMachineEngine;
import org.apache.seata.saga.rm.StateMachineEngineHolder;
import org.apache.seata.saga.statelang.domain.StateMachineInstance;
import org.springframework.context.support.GenericApplicationContext;

/**
 * The engine of Seata's state machine, with its log in a database and two machines: {@code purchase} compensates after a time-out, {@code delivery} goes
 * forward. Both take money, then deliver.
 */
final class SagaEngine {

    private final StateMachineEngine engine;

    /** @param timeoutMillis of a saga, and after which a machine or a step that seems to run is taken for dead */
    SagaEngine(String application, String group, DataSource log, Statements business, int timeoutMillis)
            throws Exception {
        GenericApplicationContext beans = new GenericApplicationContext();
        beans.registerBean("steps", Steps.class, () -> new Steps(business));
        beans.refresh();
        DbStateMachineConfig config = new DbStateMachineConfig();
        config.setApplicationContext(beans);
        config.setApplicationId(application);
        config.setTxServiceGroup(group);
        config.setDataSource(log);
        config.setSagaJsonParser("jackson");
        config.setResources(new String[] {"classpath:saga/*.json"});
        config.setTransOperationTimeout(timeoutMillis);
        config.setServiceInvokeTimeout(timeoutMillis);
        config.afterPropertiesSet();
        ProcessCtrlStateMachineEngine created = new ProcessCtrlStateMachineEngine();
        created.setStateMachineConfig(config);
        new StateMachineEngineHolder().setStateMachineEngine(created); // static in newer versions, not in 2.0
        this.engine = created;
    }

    /** Runs a machine: its XID, its status and, if it compensated, the status of that. */
    String run(String machine, String business, String deliver, String undo) {
        StateMachineInstance instance = engine.startWithBusinessKey(
                machine, null, business, new HashMap<>(Map.of("business", business, "deliver", deliver, "undo", undo)));
        return instance.getId() + ' ' + instance.getStatus() + ' ' + instance.getCompensationStatus();
    }

    /** What the machines call. Each step leaves a row, in the order in which they ran. */
    public static final class Steps {

        private final Statements statements;

        private Steps(Statements statements) {
            this.statements = statements;
        }

        /**
         * The first step. It hands on what the others need: after a crash the engine of 2.0 knows what steps put out, but not
         * what the machine was started with.
         */
        public Map<String, String> take(String business, String deliver, String undo) throws Exception {
            run(business, "take", "ok");
            return new HashMap<>(Map.of("business", business, "deliver", deliver, "undo", undo));
        }

        /**
         * A step, as it is told: {@code ok}; {@code fail} for ever; {@code once}: fails the first time with an outcome that nobody knows; {@code hang} the first
         * time, for ever.
         */
        public boolean run(String business, String step, String how) throws Exception {
            boolean first = true;
            if (how.equals("once") || how.equals("hang")) {
                first = attempt(business, step);
            }
            if (how.equals("hang") && first) {
                System.out.println("hanging in " + step + " of " + business);
                Thread.sleep(Long.MAX_VALUE);
            } else if (how.equals("fail")) {
                throw new IllegalArgumentException("told to fail");
            } else if (how.equals("once") && first) {
                throw new IllegalStateException("told to fail once");
            }
            statements.run(
                    List.of("INSERT INTO step (business, name) VALUES ('" + business + "', '" + step + "')"), true);
            return true;
        }

        /** Whether this is the first one. */
        private boolean attempt(String business, String step) throws SQLException {
            try {
                statements.run(List.of("INSERT INTO attempt VALUES ('" + business + ' ' + step + "')"), true);
                return true;
            } catch (SQLException e) {
                if (e.getSQLState().startsWith("23")) {
                    return false; // the key is there
                }
                throw e;
            }
        }
    }
}
