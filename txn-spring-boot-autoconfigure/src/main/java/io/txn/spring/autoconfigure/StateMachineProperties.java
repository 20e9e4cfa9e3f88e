package io.txn.spring.autoconfigure;

import io.txn.client.statelang.StateMachineOptions;
import java.time.Duration;
import java.util.List;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * State machines in Seata's state language that are imported as sagas.
 *
 * @param resources where the definitions of state machines in Seata's state language are, as patterns such as classpath*:statelang/*.json; none by default
 * @param serviceInvokeTimeout of one call of a service by a state machine, after which it counts as failed; too short fails slow services, too long lets a hanging one hold its saga
 * @param transOperationTimeout of a whole state machine, after which it turns back; at most 24 days
 * @param announced whether some instance publishes an event SagaEnded when a state machine that was started here has ended; one more step in each
 */
@ConfigurationProperties("txn.saga.state-machine")
record StateMachineProperties(
        @DefaultValue List<String> resources,

        @DefaultValue(StateMachineOptions.SERVICE_INVOKE_TIMEOUT)
        Duration serviceInvokeTimeout,

        @DefaultValue(StateMachineOptions.TRANS_OPERATION_TIMEOUT)
        Duration transOperationTimeout,

        @DefaultValue(StateMachineOptions.ANNOUNCED) boolean announced) {

    /** What is bound where nothing is set; a test compares the two. */
    static StateMachineProperties defaults() {
        return new StateMachineProperties(List.of(), Duration.ofMinutes(5), Duration.ofMinutes(30), false);
    }

    StateMachineOptions toOptions() {
        return new StateMachineOptions(serviceInvokeTimeout, transOperationTimeout, announced);
    }
}
