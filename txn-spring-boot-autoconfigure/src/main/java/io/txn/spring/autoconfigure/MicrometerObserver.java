package io.txn.spring.autoconfigure;

import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.txn.client.observation.TxnObserver;
import io.txn.client.observation.Work;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes observations of what the client does: {@code txn.global}, {@code txn.branch}, {@code txn.lock.wait}, {@code txn.phase.two}, {@code txn.coordinator.call}. What has few values is a tag of
 * meters and spans; XID and branch id are of spans only. Thread-safe.
 */
final class MicrometerObserver implements TxnObserver {

    private static final String XID = "txn.xid";
    private static final String BRANCH = "txn.branch.id";
    private static final String RESOURCE = "txn.resource";
    private static final String TYPE = "type";
    private static final String OUTCOME = "outcome";

    private final ObservationRegistry registry;

    MicrometerObserver(ObservationRegistry registry) {
        this.registry = registry;
    }

    @Override
    public Span begin(Work work) {
        // Tags of one meter must be the same always, so each that may come later has a value from the start.
        Observation observation;
        boolean scoped = true;
        if (work instanceof Work.GlobalTransaction global) {
            observation = named("txn.global", "global transaction " + global.name())
                    .lowCardinalityKeyValue("name", global.name())
                    .lowCardinalityKeyValue(OUTCOME, "unknown");
        } else if (work instanceof Work.Branch branch) {
            observation = named("txn.branch", "branch " + word(branch.type()))
                    .lowCardinalityKeyValue(TYPE, word(branch.type()))
                    .lowCardinalityKeyValue(OUTCOME, "failed")
                    .highCardinalityKeyValue(RESOURCE, branch.resourceId());
            of(observation, branch.xid());
        } else if (work instanceof Work.LockWait wait) {
            observation = named("txn.lock.wait", "wait for rows").highCardinalityKeyValue(RESOURCE, wait.resourceId());
            of(observation, wait.xid());
        } else if (work instanceof Work.PhaseTwo phase) {
            String decision = phase.commit() ? "commit" : "rollback";
            observation = named("txn.phase.two", "branch " + decision)
                    .lowCardinalityKeyValue("decision", decision)
                    .lowCardinalityKeyValue(TYPE, word(phase.type()))
                    .lowCardinalityKeyValue(OUTCOME, "failed")
                    .highCardinalityKeyValue(RESOURCE, phase.resourceId())
                    .highCardinalityKeyValue(BRANCH, phase.branch().toString());
            of(observation, phase.xid());
        } else if (work instanceof Work.CoordinatorCall call) {
            observation = named("txn.coordinator.call", "coordinator " + words(call.request()))
                    .lowCardinalityKeyValue("request", call.request())
                    .lowCardinalityKeyValue("coordinator", call.coordinator());
            of(observation, call.xid());
            scoped = false;
        } else {
            throw new AssertionError(work);
        }
        observation.start();
        return new Observed(observation, scoped ? observation.openScope() : null);
    }

    private Observation named(String name, String contextualName) {
        return Observation.createNotStarted(name, registry).contextualName(contextualName);
    }

    private static void of(Observation observation, @Nullable Xid xid) {
        if (xid != null) {
            observation.highCardinalityKeyValue(XID, xid.value());
        }
    }

    /** Tracers write names in small letters. */
    private static String words(String request) {
        return request.replaceAll("(?<=.)(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private record Observed(Observation observation, Observation.@Nullable Scope scope) implements Span {

        @Override
        public void xid(Xid xid) {
            of(observation, xid);
        }

        @Override
        public void branch(BranchId branch) {
            observation.highCardinalityKeyValue(BRANCH, branch.toString());
        }

        @Override
        public void outcome(String word) {
            observation.lowCardinalityKeyValue(KeyValue.of(OUTCOME, word));
        }

        @Override
        public void failed(Throwable cause) {
            observation.error(cause);
        }

        @Override
        public void close() {
            if (scope != null) {
                scope.close();
            }
            observation.stop();
        }
    }
}
