package io.txn.client.statelang;

import io.txn.protocol.saga.Policy;
import java.time.Duration;

/**
 * How long state machines and their services take.
 *
 * @param serviceInvokeTimeout of one call of a service, after which it counts as failed: from 100 milliseconds to an hour; what is called until it succeeds, such as compensations, has 2 seconds at least
 * @param transOperationTimeout of a whole machine, after which it turns back: up to 24 days
 * @param announced whether the end of each machine that is started here is told: at least once, to some instance that has the machine
 */
public record StateMachineOptions(Duration serviceInvokeTimeout, Duration transOperationTimeout, boolean announced) {

    public static final String SERVICE_INVOKE_TIMEOUT = "5m";
    public static final String TRANS_OPERATION_TIMEOUT = "30m";
    public static final String ANNOUNCED = "false";

    public StateMachineOptions {
        require("serviceInvokeTimeout", Policy.SHORTEST_CALL, serviceInvokeTimeout, Duration.ofHours(1));
        require("transOperationTimeout", 1, transOperationTimeout, Duration.ofDays(24));
    }

    private static void require(String name, long least, Duration value, Duration most) {
        if (value.toMillis() < least || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(name + " is from " + least + " ms to " + most + ", not " + value);
        }
    }
}
