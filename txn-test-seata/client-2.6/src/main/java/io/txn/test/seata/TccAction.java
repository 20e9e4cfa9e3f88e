package io.txn.test.seata;

import java.sql.SQLException;
import org.apache.seata.rm.tcc.api.BusinessActionContext;
import org.apache.seata.rm.tcc.api.BusinessActionContextParameter;
import org.apache.seata.rm.tcc.api.LocalTCC;
import org.apache.seata.rm.tcc.api.TwoPhaseBusinessAction;

/** A TCC action of three statements; the later ones travel through the coordinator in the branch's application data. */
@LocalTCC
public class TccAction {

    private final Statements statements;

    /** For the subclass that Seata makes, which only passes on to the original. */
    public TccAction() {
        this(null);
    }

    TccAction(Statements statements) {
        this.statements = statements;
    }

    @TwoPhaseBusinessAction(name = "tccAction", commitMethod = "confirm", rollbackMethod = "cancel")
    public boolean prepare(
            BusinessActionContext context,
            String sql,
            @BusinessActionContextParameter(paramName = "confirm") String confirm,
            @BusinessActionContextParameter(paramName = "cancel") String cancel)
            throws SQLException {
        statements.phaseOne(sql);
        return true;
    }

    public boolean confirm(BusinessActionContext context) throws SQLException {
        statements.phaseTwo(context.getActionContext("confirm").toString());
        return true;
    }

    public boolean cancel(BusinessActionContext context) throws SQLException {
        statements.phaseTwo(context.getActionContext("cancel").toString());
        return true;
    }
}
