package io.txn.coordinator.seata;

import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.GlobalTransaction;
import io.txn.coordinator.machine.PlanText;
import io.txn.coordinator.machine.SagaState;
import io.txn.coordinator.saga.HttpTargets;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.Step;
import io.txn.protocol.saga.Work;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Plans of sagas as they come in begins, checked against what this coordinator calls; and how far a saga is, for those who ask. Thread-safe. */
final class SagaStarts {

    /** Plans that are known without being read again. An application has as many as it has definitions. */
    private static final int KNOWN = 256;

    /** All resources of steps begin so: a plan cannot have other branches called. */
    private static final String RESOURCES = "saga/";

    private final HttpTargets targets;
    private final Map<String, PlanText> known = new LinkedHashMap<>(16, 0.75f, true);

    SagaStarts(HttpTargets targets) {
        this.targets = targets;
    }

    /**
     * What makes a begin that of a saga; null when nothing does.
     *
     * @throws TxnException BAD_REQUEST, SAGA_MISDECLARED, SAGA_TOO_LARGE or SAGA_TARGET_NOT_ALLOWED
     */
    Command.Begin.@Nullable Saga read(String name, Map<String, String> head) {
        String text = head.get(SagaHead.PLAN);
        if (text == null) {
            return null;
        }
        PlanText plan = plan(text, name);
        if (!plan.plan().definition().equals(name)) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", "transactionName", "value", name);
        }
        return new Command.Begin.Saga(plan, SagaHead.input(head));
    }

    private synchronized PlanText plan(String text, String name) {
        PlanText plan = known.get(text);
        if (plan == null) {
            plan = PlanText.of(text);
            // Times that are too short are applied as the shortest ones: clients of the version before send them.
            String problem = plan.plan().problemBeyondReturn();
            if (problem != null) {
                throw new TxnException(ErrorCode.SAGA_MISDECLARED, null, "definition", name, "problem", problem);
            }
            for (Step step : plan.plan().steps()) {
                check(step, step.work());
                check(step, step.compensation());
            }
            known.put(text, plan);
            if (known.size() > KNOWN) {
                known.remove(known.keySet().iterator().next());
            }
        }
        return plan;
    }

    private void check(Step step, @Nullable Work work) {
        if (work instanceof Work.Http http && !targets.allows(http.url())) {
            throw new TxnException(ErrorCode.SAGA_TARGET_NOT_ALLOWED, null, "step", step.name(), "url", http.url());
        }
        String resource = work instanceof Work.Bean bean
                ? bean.resource()
                : work instanceof Work.Choice choice ? choice.resource() : null;
        if (resource != null && !resource.startsWith(RESOURCES)) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "step", step.name(), "resource", resource);
        }
    }

    /** How far it is, in the head of an answer; empty for what is no saga of the coordinator's. */
    static Map<String, String> progress(GlobalTransaction transaction) {
        Map<String, String> head = new HashMap<>();
        SagaState saga = transaction.saga();
        if (saga != null) {
            SagaHead.State state = transaction.sagaState();
            String stuck = transaction.firstStuck() == null
                    ? null
                    : transaction.firstStuck().cause();
            String failure = state == SagaHead.State.NEEDS_ATTENTION && stuck != null ? stuck : transaction.cause();
            boolean done = state == SagaHead.State.DONE;
            SagaHead.progress(new SagaHead.Progress(state, done ? saga.result() : null, done ? null : failure), head);
        }
        return head;
    }
}
