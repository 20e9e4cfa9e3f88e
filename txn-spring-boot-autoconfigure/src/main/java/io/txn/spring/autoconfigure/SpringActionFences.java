package io.txn.spring.autoconfigure;

import io.txn.client.action.Action;
import io.txn.client.fence.Fence;
import io.txn.client.fence.FenceJanitor;
import io.txn.client.fence.FenceOptions;
import io.txn.client.fence.FenceTransaction;
import io.txn.client.jdbc.AtDataSource;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.ActionFences;
import io.txn.spring.FenceTemplate;
import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.transaction.support.ResourceTransactionManager;

/** One fence for each data source that an action names, with local transactions of Spring's. Thread-safe. */
final class SpringActionFences implements ActionFences {

    private static final Set<String> POOLS = Set.of(
            "com.zaxxer.hikari.HikariDataSource",
            "org.apache.tomcat.jdbc.pool.DataSource",
            "org.apache.commons.dbcp2.BasicDataSource");

    private static final Set<String> AROUND_ONE = Set.of(
            "org.springframework.jdbc.datasource.LazyConnectionDataSourceProxy",
            "org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy");

    private final ListableBeanFactory beans;
    private final FenceOptions options;
    private final FenceJanitor janitor;
    private final Map<DataSource, Fence> fences = new ConcurrentHashMap<>();
    private final AnnotationTransactionAttributeSource attributes =
            new AnnotationTransactionAttributeSource(false); // as Spring's own: methods that are not public count too

    SpringActionFences(ListableBeanFactory beans, FenceOptions options, FenceJanitor janitor) {
        this.beans = beans;
        this.options = options;
        this.janitor = janitor;
    }

    @Override
    public Action.Fenced of(String dataSource, Use first, @Nullable Use confirm, Use cancel) {
        DataSource source = dataSource(dataSource, first);
        return new Action.Fenced(
                fences.computeIfAbsent(source, this::fence),
                transaction(first, source, true),
                confirm == null
                        ? new SpringFenceTransaction(manager(null, source, first), source, null, false, cancel.most())
                        : transaction(confirm, source, false),
                transaction(cancel, source, false));
    }

    private Fence fence(DataSource source) {
        // What is no pool itself may be a router, which leads here now and there then.
        Fence fence = isOneDatabase(source)
                ? Fence.of(physical(source), options)
                : Fence.ofSeveral(physical(source), options);
        janitor.add(fence);
        return fence;
    }

    /** Whether it is a wrapped pool, a known one that is not wrapped, or one of these behind what Spring puts around one data source. */
    private static boolean isOneDatabase(DataSource source) {
        DataSource at = source;
        for (int depth = 0; depth < 10; depth++) {
            String type = at.getClass().getName();
            if (at instanceof AtDataSource || POOLS.contains(type)) {
                return true;
            }
            DataSource target = AROUND_ONE.contains(type) ? ((DelegatingDataSource) at).getTargetDataSource() : null;
            if (target == null) {
                return false;
            }
            at = target;
        }
        return false;
    }

    /** The fence's own look at the table is no part of a global transaction. */
    private static DataSource physical(DataSource source) {
        try {
            return source.isWrapperFor(AtDataSource.class)
                    ? source.unwrap(AtDataSource.class).physical()
                    : source;
        } catch (SQLException | RuntimeException e) {
            return source; // one that cannot say what it wraps
        }
    }

    private DataSource dataSource(String name, Use first) {
        try {
            return name.isEmpty() ? beans.getBean(DataSource.class) : beans.getBean(name, DataSource.class);
        } catch (BeansException e) {
            throw misdeclared(
                    first,
                    e,
                    name.isEmpty()
                            ? "its fence needs the one or primary data source: " + e.getMessage()
                            : "there is no data source " + name,
                    first.target() == FenceTemplate.class
                            ? "fence.in(\"…\") with the bean name of a data source, or one that is primary"
                            : "dataSource = \"…\", or fencing = Fencing.NONE where all its methods can be called again, before and without each other");
        }
    }

    private FenceTransaction transaction(Use use, DataSource source, boolean first) {
        TransactionAttribute attribute = attributes.getTransactionAttribute(use.method(), use.target());
        if (attribute != null) {
            switch (attribute.getPropagationBehavior()) {
                case TransactionDefinition.PROPAGATION_REQUIRED,
                        TransactionDefinition.PROPAGATION_SUPPORTS,
                        TransactionDefinition.PROPAGATION_MANDATORY -> {}
                default ->
                    throw misdeclared(
                            use,
                            null,
                            "its @Transactional would leave the local transaction that the fence is in",
                            "@Transactional with propagation REQUIRED");
            }
        }
        return new SpringFenceTransaction(manager(attribute, source, use), source, attribute, first, use.most());
    }

    private PlatformTransactionManager manager(@Nullable TransactionAttribute attribute, DataSource source, Use use) {
        Map<String, PlatformTransactionManager> managers =
                new TreeMap<>(beans.getBeansOfType(PlatformTransactionManager.class));
        String qualifier = attribute == null ? null : attribute.getQualifier();
        if (qualifier != null && !qualifier.isEmpty()) {
            PlatformTransactionManager named = managers.get(qualifier);
            if (named != null) {
                return named;
            }
        }
        for (PlatformTransactionManager manager : managers.values()) {
            if (manager instanceof ResourceTransactionManager resource && isOf(resource, source)) {
                return manager;
            }
        }
        try {
            return beans.getBean(PlatformTransactionManager.class);
        } catch (BeansException e) {
            throw misdeclared(
                    use,
                    e,
                    "its fence needs the transaction manager of its data source: " + e.getMessage(),
                    "a PlatformTransactionManager for the data source, named in @Transactional where there are several");
        }
    }

    private static boolean isOf(ResourceTransactionManager manager, DataSource source) {
        try {
            return manager.getResourceFactory() == source;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static TxnException misdeclared(Use use, @Nullable Throwable cause, String problem, String expected) {
        return new TxnException(
                ErrorCode.ACTION_MISDECLARED, cause, "method", use.method(), "problem", problem, "expected", expected);
    }
}
