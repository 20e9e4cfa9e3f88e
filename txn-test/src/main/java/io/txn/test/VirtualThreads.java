package io.txn.test;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Virtual threads, for tests that are compiled for a Java without them: there are some from Java 21 on. Stateless. */
public final class VirtualThreads {

    /** More than there can ever be threads of the platform that carry them, of which the JVM makes 256 by itself. */
    public static final int MORE_THAN_CARRIERS = 300;

    private VirtualThreads() {}

    public static boolean exist() {
        return Runtime.version().feature() >= 21;
    }

    /** Whether the calling thread is one. */
    public static boolean isThis() {
        return Boolean.TRUE.equals(call(Thread.class, "isVirtual", Thread.currentThread()));
    }

    /** A new one for each task. */
    public static ExecutorService newExecutor() {
        return (ExecutorService) call(Executors.class, "newVirtualThreadPerTaskExecutor", null);
    }

    private static Object call(Class<?> type, String method, @Nullable Object on) {
        try {
            return type.getMethod(method).invoke(on);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("there are no virtual threads in Java " + Runtime.version(), e);
        }
    }
}
