package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.doctor.SeenDataSource;
import io.txn.spring.doctor.SeenDataSource.Fate;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.apache.shardingsphere.driver.jdbc.core.connection.ShardingSphereConnection;
import org.apache.shardingsphere.driver.jdbc.core.datasource.ShardingSphereDataSource;
import org.apache.shardingsphere.infra.datasource.pool.CatalogSwitchableDataSource;
import org.apache.shardingsphere.infra.metadata.database.ShardingSphereDatabase;
import org.apache.shardingsphere.infra.metadata.database.resource.unit.StorageUnit;
import org.apache.shardingsphere.mode.manager.ContextManager;
import org.apache.shardingsphere.transaction.api.TransactionType;
import org.apache.shardingsphere.transaction.rule.TransactionRule;
import org.jspecify.annotations.Nullable;

/**
 * The pools beneath ShardingSphere-JDBC, whoever made them: each is wrapped in its storage unit, and never the logical data source, because that has no database in which a
 * branch could be finished. ShardingSphere sends statements from threads of its own, so what it gets carries the transaction of whoever made them. What cannot be
 * covered so is refused. Loaded only where that library is.
 */
final class ShardingSpherePools {

    private static final String URL = "shardingsphere:";

    private final String name;
    private final ContextManager manager;
    private final ContextCarrier contexts;

    /** What stood in the storage units before. */
    private final List<Runnable> restorations = new ArrayList<>();

    private ShardingSpherePools(String name, ContextManager manager, ContextCarrier contexts) {
        this.name = name;
        this.manager = manager;
        this.contexts = contexts;
    }

    /** Wraps a pool under its name; what is excluded, wrapped already, or leads to wrapped ones, comes back as it is. */
    interface Wrapping {
        DataSource wrapped(DataSource pool, String name);
    }

    /**
     * Wraps what {@code dataSource} leads to, before it opens a connection of its own where that is possible.
     *
     * @return null when it is none of ShardingSphere's
     * @throws TxnException SHARDING_NOT_COVERED when what is done through it could not be undone
     */
    static @Nullable ShardingSpherePools wrapBeneath(
            DataSource dataSource, String name, ContextCarrier contexts, Wrapping wrapping) {
        try {
            ContextManager manager = managerOf(dataSource);
            if (manager == null) {
                return null;
            }
            ShardingSpherePools pools = new ShardingSpherePools(name, manager, contexts);
            pools.requireOrdinary();
            try {
                pools.wrap(wrapping);
                pools.requireTaken(dataSource);
            } catch (RuntimeException | Error | SQLException e) {
                pools.restore();
                throw e;
            }
            return pools;
        } catch (SQLException e) {
            throw new TxnException(
                    ErrorCode.SHARDING_NOT_COVERED, e, "name", name, "problem", "it gives no connection: " + e);
        } catch (LinkageError e) {
            throw new TxnException(
                    ErrorCode.SHARDING_NOT_COVERED,
                    e,
                    "name",
                    name,
                    "problem",
                    "this version of ShardingSphere is not known; 5.5.2 is tried");
        }
    }

    private static @Nullable ContextManager managerOf(DataSource dataSource) throws SQLException {
        if (dataSource instanceof ShardingSphereDataSource) {
            return managerBehind(dataSource);
        }
        DataSource beside = BesidePool.of(dataSource);
        String url = BesidePool.url(dataSource);
        if (url == null) {
            return managerBehind(beside == null ? dataSource : beside);
        }
        // Its driver keeps one set of pools for each URL, so these are the ones that the pool above will lead to.
        return url.contains(URL) ? managerBehind(beside == null ? dataSource : beside) : null;
    }

    private static @Nullable ContextManager managerBehind(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            return connection.isWrapperFor(ShardingSphereConnection.class)
                    ? connection.unwrap(ShardingSphereConnection.class).getContextManager()
                    : null;
        } catch (SQLException e) {
            if (dataSource instanceof ShardingSphereDataSource) {
                throw e;
            }
            return null; // whoever wraps it says why
        }
    }

    private TxnException refused(String problem) {
        return new TxnException(ErrorCode.SHARDING_NOT_COVERED, null, "name", name, "problem", problem);
    }

    private void requireOrdinary() {
        TransactionType type = manager.getMetaDataContexts()
                .getMetaData()
                .getGlobalRuleMetaData()
                .getSingleRule(TransactionRule.class)
                .getDefaultType();
        if (type != TransactionType.LOCAL) {
            throw refused("its transactions are of type " + type
                    + ", whose connections do not come from its pools: only LOCAL ones can be branches");
        }
        if (manager.getComputeNodeInstanceContext().getModeConfiguration().isCluster()) {
            throw refused("in cluster mode other instances exchange its pools while it runs");
        }
    }

    private void wrap(Wrapping wrapping) {
        Map<DataSource, String> pools = new IdentityHashMap<>();
        for (ShardingSphereDatabase database :
                manager.getMetaDataContexts().getMetaData().getAllDatabases()) {
            Map<String, StorageUnit> units = manager.getStorageUnits(database.getName());
            for (Map.Entry<String, StorageUnit> entry : List.copyOf(units.entrySet())) {
                String key = entry.getKey();
                StorageUnit unit = entry.getValue();
                DataSource pool = beneath(unit);
                if (pool instanceof CarryingDataSource) {
                    throw refused(
                            "storage unit " + key
                                    + " belongs to another application context of this process, which shares its pools by the same URL");
                }
                String other = pools.put(pool, key);
                if (other != null) {
                    throw refused("storage units " + other + " and " + key
                            + " share a pool, so a branch could not be told which of their databases is meant");
                }
                StorageUnit covered = new StorageUnit(
                        unit.getStorageNode(),
                        unit.getDataSourcePoolProperties(),
                        new CarryingDataSource(wrapping.wrapped(pool, name + '.' + key), pool, contexts));
                try {
                    units.put(key, covered);
                } catch (UnsupportedOperationException e) {
                    throw refused("its storage units cannot be exchanged");
                }
                restorations.add(() -> units.replace(key, covered, unit));
            }
        }
    }

    private static DataSource beneath(StorageUnit unit) {
        DataSource pool = unit.getDataSource();
        return pool instanceof CatalogSwitchableDataSource switching ? switching.getDataSource() : pool;
    }

    /** A connection that was opened before leads to the pools as they were, for as long as the pool above keeps it. */
    private void requireTaken(DataSource dataSource) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            ShardingSphereConnection sharding = connection.unwrap(ShardingSphereConnection.class);
            if (sharding.getContextManager() != manager) {
                throw refused("its connections come from other pools than those of its URL");
            }
            Connection physical = sharding.getDatabaseConnectionManager().getRandomConnection();
            if (!physical.isWrapperFor(CarryingDataSource.Carried.class)) {
                throw refused(
                        "the pool above it has opened connections already; let it open them later (initial size 0), or use YamlShardingSphereDataSourceFactory");
            }
        }
    }

    /** What is there now and was not there at the start. */
    List<SeenDataSource> uncovered() {
        List<SeenDataSource> uncovered = new ArrayList<>();
        for (ShardingSphereDatabase database :
                manager.getMetaDataContexts().getMetaData().getAllDatabases()) {
            manager.getStorageUnits(database.getName()).forEach((key, unit) -> {
                if (!(beneath(unit) instanceof CarryingDataSource)) {
                    uncovered.add(new SeenDataSource(
                            name + '.' + key,
                            beneath(unit).getClass().getName(),
                            Fate.UNCOVERED,
                            "ShardingSphere got this storage unit after the start; start the application again",
                            null));
                }
            });
        }
        return uncovered;
    }

    /** Puts back what was there: the driver keeps its pools for longer than an application context lives. */
    void restore() {
        restorations.forEach(Runnable::run);
        restorations.clear();
    }
}
