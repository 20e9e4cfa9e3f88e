package io.txn.test.seata;

import com.github.benmanes.caffeine.cache.Cache;
import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.sql.DataSource;
import org.apache.seata.common.exception.NotSupportYetException;
import org.apache.seata.core.context.RootContext;
import org.apache.seata.core.exception.TransactionException;
import org.apache.seata.core.model.BranchStatus;
import org.apache.seata.core.model.BranchType;
import org.apache.seata.core.model.Resource;
import org.apache.seata.rm.DefaultResourceManager;
import org.apache.seata.rm.datasource.DataSourceManager;
import org.apache.seata.rm.datasource.DataSourceProxy;
import org.apache.seata.rm.datasource.sql.struct.cache.AbstractTableMetaCache;
import org.apache.seata.rm.datasource.undo.UndoLogManagerFactory;

/**
 * The client's AT proxy with a coordinator in memory, for the corpus of statements: what it does with each is compared with what ours does. The methods
 * are those of {@code io.txn.client.jdbc.corpus.Subject}, which this module does not know. For one thread.
 */
public final class SeataCorpus {

    private static final int TRIES = 3;
    private static long ids = System.nanoTime() & 0xffff_ffffL;

    private final DataSource physical;
    private final Branches branches = new Branches();
    private final DataSourceProxy proxy;
    private String xid;

    /** The physical data source gets its proxy. */
    public SeataCorpus(DataSource physical) throws Exception {
        this.physical = physical;
        forgetTables();
        DefaultResourceManager.get();
        DefaultResourceManager.mockResourceManager(BranchType.AT, branches);
        proxy = new DataSourceProxy(physical);
    }

    /** What the client knows of tables it keeps for a quarter of an hour; the corpus makes others of the same names. */
    private static void forgetTables() throws ReflectiveOperationException {
        Field cache = AbstractTableMetaCache.class.getDeclaredField("TABLE_META_CACHE");
        cache.setAccessible(true);
        ((Cache<?, ?>) cache.get(null)).invalidateAll();
    }

    /** Registers branches, and holds no locks: there is never more than one transaction. */
    private static final class Branches extends DataSourceManager {
        private final List<Long> registered = new ArrayList<>();
        private String resourceId;

        @Override
        public void registerResource(Resource resource) {
            resourceId = resource.getResourceId();
            getManagedResources().put(resourceId, resource);
        }

        @Override
        public Long branchRegister(
                BranchType type, String resource, String client, String xid, String data, String lockKeys) {
            registered.add(++ids);
            return ids;
        }

        @Override
        public void branchReport(BranchType type, String xid, long branch, BranchStatus status, String data) {
            if (status == BranchStatus.PhaseOne_Failed) {
                registered.remove(branch);
            }
        }

        @Override
        public boolean lockQuery(BranchType type, String resource, String xid, String lockKeys) {
            return true;
        }
    }

    public DataSource dataSource() {
        return proxy;
    }

    public void begin() {
        branches.registered.clear();
        xid = "127.0.0.1:8091:" + ++ids;
        RootContext.bind(xid);
    }

    public void unbind() {
        RootContext.unbind();
    }

    /** Past the client's queue, which would take a second. */
    public String commit() throws SQLException {
        if (!branches.registered.isEmpty()) {
            Set<Long> ended = new HashSet<>(branches.registered);
            try (Connection connection = physical.getConnection()) {
                UndoLogManagerFactory.getUndoLogManager(proxy.getDbType())
                        .batchDeleteUndoLog(Collections.singleton(xid), ended, connection);
            }
        }
        return "";
    }

    public String rollback() {
        for (int i = branches.registered.size() - 1; i >= 0; i--) {
            long branch = branches.registered.get(i);
            BranchStatus status = null;
            for (int tries = 0; tries < TRIES && !BranchStatus.PhaseTwo_Rollbacked.equals(status); tries++) {
                try {
                    status = branches.branchRollback(BranchType.AT, xid, branch, branches.resourceId, null);
                } catch (TransactionException | RuntimeException e) {
                    return "retry " + e;
                }
                if (status == BranchStatus.PhaseTwo_RollbackFailed_Unretryable) {
                    return "attention " + status;
                }
            }
            if (status != BranchStatus.PhaseTwo_Rollbacked) {
                return "retry " + status;
            }
        }
        return "";
    }

    /** Whatever says in any way that it does not support something. */
    public String refusal(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String text = String.valueOf(cause.getMessage());
            if (cause instanceof NotSupportYetException || text.toLowerCase().contains("support")) {
                return text;
            }
        }
        return "";
    }

    public String undoTable() throws SQLException {
        try (Connection connection = physical.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM undo_log WHERE log_status = 0")) {
            rows.next();
            return rows.getInt(1) == 0 ? "" : rows.getInt(1) + " rows";
        }
    }
}
