package io.txn.spring;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import java.util.function.Consumer;

/** Results of methods that are there only later, such as publishers: what runs such a method in a global transaction that ends with its result. */
public interface LaterResults {

    /** Whether results of this declared type are meant. */
    boolean handles(Class<?> type);

    /** A result that calls the method, in a transaction of its own, each time somebody asks for it. */
    Object run(Class<?> type, GlobalTransactionOptions options, GlobalTransactionTemplate.Callback<?> method);

    /** The same result, each failure of which is told to {@code failed}, which may block, before anybody else sees it. */
    Object told(Class<?> type, Object result, Consumer<Throwable> failed);
}
