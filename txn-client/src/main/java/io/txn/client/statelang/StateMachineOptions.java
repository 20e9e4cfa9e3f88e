package io.txn.client.statelang;

import java.time.Duration;

/**
 * How long state machines and their services take.
 *
 * @param serviceInvokeTimeout of one call of a service, after which it counts as failed: from a millisecond to an hour
 * @param transOperationTimeout of a whole machine, after which it turns back: up to 24 days
 * @param announced whether the end of each machine that is started here is told: at least once, to some instance that has the machine
 */
public record StateMachineOptions(Duration serviceInvokeTimeout, Duration transOperationTimeout, boolean announced) {

    public static final String SERVICE_INVOKE_TIMEOUT = "5m";
    public static final String TRANS_OPERATION_TIMEOUT = "30m";
    public static final String ANNOUNCED = "false";

    public StateMachineOptions {
        require("serviceInvokeTimeout", serviceInvokeTimeout, Duration.ofHours(1));
        require("transOperationTimeout", transOperationTimeout, Duration.ofDays(24));
    }

    private static void require(String name, Duration value, Duration most) {
        if (value.toMillis() < 1 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(name + " is from 1 ms to " + most + ", not " + value);
        }
    }
}
