package io.txn.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Keeps the value of a parameter of a {@link TccAction} or {@link SagaAction} for its end. Texts, numbers, booleans, {@code java.time} values, UUIDs, enums, byte arrays, lists, sets, maps with
 * text keys, optionals, and records of these: anything else fails the start.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.PARAMETER)
public @interface Captured {

    /** The key under which it is kept, stable like the action's name; the parameter's own name when empty. */
    String value() default "";
}
