package io.txn.test.seata;

import java.sql.SQLException;
import org.apache.seata.rm.tcc.api.BusinessActionContext;

/** What the main class knows of annotated sagas, which older clients do not have. */
public interface SagaStep {

    /** With Seata's interceptor around it, and registered as a resource. */
    SagaStep proxied();

    boolean act(BusinessActionContext context, String sql, String compensation) throws SQLException;
}
