package io.txn.spring;

import io.txn.client.action.Fencing;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a method a step of a saga: final when it returns, and undone by its compensation when the global transaction is rolled back. Compensations run in reverse order, one at a time,
 * called by the coordinator on any instance of the application until they return; the fence sees to it that each happens once, after its action, and not in vain.
 *
 * <p>The action's parameters with {@link Captured} are handed to the compensation, in the same order and types; before them it may take an
 * {@link io.txn.client.action.ActionContext}, and behind them what the action returned. It returns nothing, or whether it is done.
 *
 * <pre>{@code
 * @SagaAction(name = "hotel/book", compensation = "unbook")
 * @Transactional
 * public String book(@Captured("guest") String guest, @Captured("from") LocalDate from) { … }
 *
 * @Transactional
 * public void unbook(String guest, LocalDate from, String booking) { … }
 * }</pre>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface SagaAction {

    /** As {@link TccAction#name}. */
    String name();

    /** The method that undoes the action. */
    String compensation() default "compensate";

    /** The type of the one bean that has the compensation; the bean of the action when not given. */
    Class<?> on() default void.class;

    /** What keeps the two from happening twice, too late or for nothing. */
    Fencing fencing() default Fencing.LOCAL;

    /** As {@link TccAction#dataSource}. */
    String dataSource() default "";

    /** How long and how often the compensation is called. */
    EndPolicy ends() default @EndPolicy;
}
