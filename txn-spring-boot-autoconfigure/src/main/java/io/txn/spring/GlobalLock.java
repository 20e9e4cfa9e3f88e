package io.txn.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Keeps the local transactions of a method, or of every public method that an annotated class declares, off rows that a global transaction holds, without
 * one of their own: a write is committed only when nobody holds a row that it touched, and {@code SELECT … FOR UPDATE} returns only such rows. For writers
 * that share tables with global transactions: what they write past one may make its rollback stop and ask a person.
 *
 * <p>Inside a global transaction it changes nothing. Put it on the method that begins the local transaction, beside {@code @Transactional}; what holds of
 * {@link GlobalTransactional} about calls that go through the bean holds here too. Statements are refused where a global transaction would refuse them:
 * what they write could not be known.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
public @interface GlobalLock {

    /**
     * How long a held row is waited for, such as {@code "5s"}, {@code "500ms"} or a placeholder; {@code txn.client.lock-wait} when empty, not at all when
     * {@code "0"}. Rows of a local transaction that is open stay locked in the database meanwhile.
     */
    String lockWait() default "";
}
