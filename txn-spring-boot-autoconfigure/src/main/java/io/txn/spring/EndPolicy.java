package io.txn.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * How long and how often the coordinator calls the ends of an action: confirm and cancel, or the compensation. It goes with each branch to the coordinator, is kept there, and holds from then on, also when the
 * annotation changes. What says nothing is as the coordinator is configured ({@code txn.coordinator.retry.*}).
 *
 * <p>Durations as Spring Boot writes them: {@code 500ms}, {@code 30s}, {@code 2m}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({})
public @interface EndPolicy {

    /**
     * For one call, 2 seconds to an hour. Whoever takes longer is called again; two thirds of it are the time limit of an end's local transaction. Calls that may last longer than the coordinator's usual ones
     * share a quarter of its calls.
     */
    String callTimeout() default "";

    /** Between the first call that failed and the second, 100 milliseconds to a day. It doubles from there on; a random half of each delay is taken off. */
    String firstDelay() default "";

    /** No delay is longer; 100 milliseconds to a day. */
    String maxDelay() default "";

    /** Calls in all; when so many have failed, the transaction needs attention. 0: the coordinator's, which for most means without end. */
    int maxAttempts() default 0;
}
