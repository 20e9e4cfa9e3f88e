package io.txn.spring.autoconfigure;

import io.txn.client.fence.FenceTransaction;
import java.sql.Connection;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.transaction.support.DefaultTransactionDefinition;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Local transactions of Spring's, begun with what the method's own {@code @Transactional} says, so that the method joins them and nothing of it is lost. Thread-safe.
 */
final class SpringFenceTransaction implements FenceTransaction {

    private final PlatformTransactionManager manager;
    private final DataSource dataSource;
    private final @Nullable TransactionAttribute attribute;
    /** Of a first, the attribute's rules may spare a failure; an end that failed is taken back whatever they say, and has not all the time. */
    private final boolean isFirst;

    private final Duration endMost;

    SpringFenceTransaction(
            PlatformTransactionManager manager,
            DataSource dataSource,
            @Nullable TransactionAttribute attribute,
            boolean isFirst,
            Duration endMost) {
        this.endMost = endMost;
        this.manager = manager;
        this.dataSource = dataSource;
        this.attribute = attribute;
        this.isFirst = isFirst;
    }

    @Override
    public boolean isOpen() {
        return TransactionSynchronizationManager.isActualTransactionActive();
    }

    @Override
    public <T extends @Nullable Object> T execute(Work<T> work) throws Throwable {
        return run(work, definition(TransactionDefinition.PROPAGATION_REQUIRED), isFirst);
    }

    @Override
    public <T extends @Nullable Object> T executeApart(Work<T> work) throws Throwable {
        return run(work, definition(TransactionDefinition.PROPAGATION_REQUIRES_NEW), false);
    }

    private TransactionDefinition definition(int propagation) {
        DefaultTransactionDefinition definition =
                attribute == null ? new DefaultTransactionDefinition() : new DefaultTransactionDefinition(attribute);
        definition.setPropagationBehavior(propagation);
        definition.setReadOnly(false); // the fence writes
        if (!isFirst) {
            // The coordinator has given the call up by then, and calls again while this one would still wait.
            int most = (int) Math.max(1, endMost.toSeconds());
            int own = definition.getTimeout();
            definition.setTimeout(own == TransactionDefinition.TIMEOUT_DEFAULT ? most : Math.min(own, most));
        }
        return definition;
    }

    private <T extends @Nullable Object> T run(Work<T> work, TransactionDefinition definition, boolean rules)
            throws Throwable {
        TransactionStatus status = manager.getTransaction(definition);
        T result;
        try {
            result = on(work);
        } catch (Throwable failure) {
            try {
                if (rules && attribute != null && !attribute.rollbackOn(failure)) {
                    manager.commit(status);
                } else {
                    manager.rollback(status);
                }
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
            throw failure;
        }
        manager.commit(status);
        return result;
    }

    private <T extends @Nullable Object> T on(Work<T> work) throws Throwable {
        // Asked for a connection, Spring would bind one that no transaction manager has begun anything on.
        boolean begun = TransactionSynchronizationManager.getResource(dataSource) != null;
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            if (!begun || connection.getAutoCommit()) {
                throw new IllegalStateException(
                        "transaction manager " + manager
                                + " does not manage the data source of the fence; name the right one with dataSource on the action");
            }
            return work.run(connection);
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }

    @Override
    public void whenEnded(Before before, Ended action) {
        if (!TransactionSynchronizationManager.isSynchronizationActive()) {
            action.ended(before.stillHolds());
            return;
        }
        TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {

            private boolean holds = true;

            @Override
            public void beforeCommit(boolean readOnly) {
                holds = before.stillHolds();
            }

            @Override
            public void afterCompletion(int status) {
                action.ended(holds && status == STATUS_COMMITTED);
            }
        });
    }
}
