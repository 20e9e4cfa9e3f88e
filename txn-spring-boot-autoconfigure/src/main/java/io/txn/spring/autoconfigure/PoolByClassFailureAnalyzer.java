package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.AtDataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanNotOfRequiredTypeException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Says what to do where somebody wants a pool by its class, in front of which a data source of ours stands. */
final class PoolByClassFailureAnalyzer extends AbstractFailureAnalyzer<BeanNotOfRequiredTypeException> {

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, BeanNotOfRequiredTypeException cause) {
        if (!AtDataSource.class.isAssignableFrom(cause.getActualType())) {
            return null;
        }
        String pool = cause.getRequiredType().getName();
        return new FailureAnalysis(
                "The data source '" + cause.getBeanName()
                        + "' takes part in global transactions, so the bean is a javax.sql.DataSource in front of the pool, and no "
                        + pool + '.',
                "Inject javax.sql.DataSource, and where the pool itself is needed take it from there: dataSource.unwrap("
                        + cause.getRequiredType().getSimpleName()
                        + ".class). If what is done through it belongs to no global transaction, name '"
                        + cause.getBeanName() + "' in txn.jdbc.excluded.",
                cause);
    }
}
