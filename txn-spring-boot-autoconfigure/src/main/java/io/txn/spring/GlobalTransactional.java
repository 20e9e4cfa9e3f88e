package io.txn.spring;

import io.txn.client.Isolation;
import io.txn.client.OnDuplicate;
import io.txn.client.OnUnfinished;
import io.txn.client.Propagation;
import io.txn.client.WorkMode;
import io.txn.protocol.OnSwallowed;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Runs a method, or every public method of an annotated class, inherited ones too, in a global transaction: when it returns, all branches commit; when it throws, all of them
 * are rolled back, in this service and in those it called. Put it on the outermost method of a business action, outside any
 * {@code @Transactional}.
 *
 * <p>It works on calls that go through the Spring bean. A method that calls another one of the same object does not pass through the bean, so
 * an annotation on the called one does nothing then. Annotate the class or its method, not an interface; a method that overrides an annotated one has its annotation. The method is neither private,
 * final nor static, and returns its result itself, not a future of it: what cannot work is refused when the application starts. A {@code Mono} or {@code Flux} of Reactor's is such
 * a result too: its transaction begins when somebody subscribes, and ends with it.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface GlobalTransactional {

    /** What operators see; {@code Class.method} when empty. At most 128 bytes. */
    String name() default "";

    /**
     * After which the coordinator rolls back, such as {@code "30s"}, {@code "500ms"}, {@code "PT2M"} or a placeholder
     * {@code "${purchase.timeout}"}; {@code txn.client.default-timeout} when empty.
     */
    String timeout() default "";

    /** What to do with a surrounding global transaction. */
    Propagation propagation() default Propagation.REQUIRED;

    /**
     * What plain reads may show of rows that other, undecided global transactions have written. {@link Isolation#READ_COMMITTED} waits for such rows,
     * keeps those that were read from being changed until the local transaction ends, and refuses reads that cannot be checked.
     */
    Isolation isolation() default Isolation.DEFAULT;

    /**
     * What becomes of the transaction when work for it failed, here or in a service that was called, and somebody caught the failure on its way to this method:
     * a {@code catch}, an exception handler that answers well, a fallback. Matters where the transaction begins.
     */
    OnSwallowed onSwallowed() default OnSwallowed.ROLLBACK;

    /**
     * What becomes of the transaction when this method returns while work that it handed to other threads still runs. Where the transaction begins, for its
     * commit; in a service that was called, for its answer.
     */
    OnUnfinished onUnfinished() default OnUnfinished.WAIT;

    /**
     * How local transactions in this scope take part, in this process: {@link WorkMode#XA} has each data source's database prepare them, for what AT refuses or what must not be
     * seen before the decision. Services that are called work as they are set up themselves. A connection stays in the mode in which it was taken.
     */
    WorkMode mode() default WorkMode.AS_CONFIGURED;

    /**
     * By what a repeated request is known: an expression over the arguments, such as {@code "#order.id"} or {@code "#customer + '/' + #number"}. The second request of a key
     * does not run: it gets what the first one returned, or learns what it failed with. Matters where the transaction begins; keys count within one application and one
     * {@link #name}, and are forgotten when the coordinator has kept them for its {@code txn.coordinator.request-keys.lifetime}.
     */
    String idempotencyKey() default "";

    /** What to do while another request of the same key is under way. */
    OnDuplicate onDuplicate() default OnDuplicate.WAIT;

    /** Exceptions that roll back although a wider class of {@link #noRollbackFor} would spare them. Everything else rolls back anyway. */
    Class<? extends Throwable>[] rollbackFor() default {};

    /** The same by a part of the full class name. */
    String[] rollbackForClassName() default {};

    /** Exceptions that commit nevertheless, with their subclasses. */
    Class<? extends Throwable>[] noRollbackFor() default {};

    /** The same by a part of the full class name. */
    String[] noRollbackForClassName() default {};
}
