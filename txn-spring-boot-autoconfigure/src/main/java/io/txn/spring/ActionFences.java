package io.txn.spring;

import io.txn.client.action.Action;
import io.txn.client.fence.FenceTransaction;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where actions get their fence and local transactions from. */
@FunctionalInterface
public interface ActionFences {

    /**
     * The fence in the database of a data source, with local transactions as the methods' own annotations want them.
     *
     * @param dataSource the bean name; empty for the only one
     * @throws io.txn.protocol.TxnException ACTION_MISDECLARED, saying what is missing
     */
    Action.Fenced of(String dataSource, Use first, @Nullable Use confirm, Use cancel);

    /**
     * Where there is nothing to make one of.
     *
     * @param code what its use is refused with
     * @param expected what to declare instead
     */
    static ActionFences none(ErrorCode code, String expected) {
        return (dataSource, first, confirm, cancel) -> {
            throw new TxnException(
                    code,
                    null,
                    "method",
                    first.method(),
                    "problem",
                    "its fence needs spring-jdbc and a data source",
                    "expected",
                    expected);
        };
    }

    /**
     * A method as it is called on a type.
     *
     * @param most how long it may take as an end
     */
    record Use(Method method, Class<?> target, Duration most) {

        /** One that takes as long as others. */
        public Use(Method method, Class<?> target) {
            this(method, target, FenceTransaction.END_MAX);
        }
    }
}
