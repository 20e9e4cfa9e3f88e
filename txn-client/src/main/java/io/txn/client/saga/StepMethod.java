package io.txn.client.saga;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Calls the method of a step on its bean, as everybody else would. Thread-safe. */
public interface StepMethod {

    @Nullable
    Object call(List<?> arguments) throws Throwable;

    /** @param arguments what the step was given, and its result where the compensation takes it */
    void compensate(List<?> arguments) throws Throwable;
}
