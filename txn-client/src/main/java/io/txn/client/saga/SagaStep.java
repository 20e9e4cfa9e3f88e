package io.txn.client.saga;

import io.txn.client.action.Fencing;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Lets sagas call a method of a bean, in this application or from the coordinator on behalf of another one. It stands on the method of the bean's class, and may stand on the method of an
 * interface too, so that other applications can name it with the compiler's help. Ordinary calls of the method are ordinary calls.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
public @interface SagaStep {

    /** Its name everywhere, stable: sagas that are under way find it by this. */
    String name();

    /**
     * The method of the same bean that undoes it: takes what the step takes, and if it likes the step's result last. Empty for a step that is not undone, which a definition must then say too.
     */
    String compensation() default "";

    /** Failures that are a refusal: not tried again, the saga turns back. */
    Class<? extends Throwable>[] refusals() default {};

    /** What keeps it from happening twice; {@link Fencing#REMOTE} for one that reaches beyond the database. */
    Fencing fencing() default Fencing.LOCAL;

    /** The data source of its fence, where there are several. */
    String dataSource() default "";
}
