package io.txn.spring;

import io.txn.client.action.Fencing;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a method the <em>try</em> of an action that is confirmed when the global transaction commits and cancelled when it is rolled back. Both are called by the coordinator, on any
 * instance of the application, possibly again, until they return; the fence sees to it that each happens once, after the try, and not in vain.
 *
 * <p>The try's parameters with {@link Captured} are kept and handed to confirm and cancel: those take them in the same order and types, and before them, if they like, an
 * {@link io.txn.client.action.ActionContext}. They return nothing, or whether they are done: {@code false} asks for another call later, as an exception does.
 *
 * <pre>{@code
 * @TccAction(name = "account/freeze", confirm = "charge", cancel = "release")
 * @Transactional
 * public void freeze(@Captured("user") String user, @Captured("amount") BigDecimal amount) { … }
 *
 * @Transactional
 * public void charge(String user, BigDecimal amount) { … }
 *
 * @Transactional
 * public void release(ActionContext context, String user, BigDecimal amount) { … }
 * }</pre>
 *
 * <p>Statements of the three are ordinary local transactions: AT does not capture them. The method is called within a global transaction; outside one it is refused. A declaration
 * that cannot work fails the start, with the right one in the message.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface TccAction {

    /**
     * Under which the coordinator finds the action, by convention {@code service/action}. It stays the same when classes are renamed: branches that an earlier
     * version left open are ended by this name.
     */
    String name();

    /** The method that makes the try final. */
    String confirm() default "confirm";

    /** The method that undoes the try. */
    String cancel() default "cancel";

    /** The type of the one bean that has confirm and cancel; the bean of the try when not given. */
    Class<?> on() default void.class;

    /** What keeps the three from happening twice, too late or for nothing. */
    Fencing fencing() default Fencing.LOCAL;

    /** The bean name of the data source that the three work with and the fence is in; the only or primary one when empty. */
    String dataSource() default "";

    /** How long and how often confirm and cancel are called. */
    EndPolicy ends() default @EndPolicy;
}
