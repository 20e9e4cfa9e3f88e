package io.txn.test.seata;

import java.sql.SQLException;
import org.apache.seata.integration.tx.api.util.ProxyUtil;
import org.apache.seata.rm.tcc.api.BusinessActionContext;
import org.apache.seata.rm.tcc.api.BusinessActionContextParameter;
import org.apache.seata.rm.tcc.api.LocalTCC;
import org.apache.seata.saga.rm.api.CompensationBusinessAction;

/** A saga step of two statements, by annotation. */
@LocalTCC
public class AnnotatedSaga implements SagaStep {

    private final Statements statements;

    /** For the subclass that Seata makes, which only passes on to the original. */
    public AnnotatedSaga() {
        this(null);
    }

    AnnotatedSaga(Statements statements) {
        this.statements = statements;
    }

    @Override
    public SagaStep proxied() {
        return ProxyUtil.createProxy(this);
    }

    @Override
    @CompensationBusinessAction(name = "sagaStep", compensationMethod = "compensate")
    public boolean act(
            BusinessActionContext context,
            String sql,
            @BusinessActionContextParameter(paramName = "compensation") String compensation)
            throws SQLException {
        statements.phaseOne(sql);
        return true;
    }

    public boolean compensate(BusinessActionContext context) throws SQLException {
        statements.phaseTwo(context.getActionContext("compensation").toString());
        return true;
    }
}
