package io.txn.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.saga.SagaStep;
import java.lang.annotation.Annotation;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.scheduling.annotation.Async;

class AnnotationIndexTest {

    private static final List<Class<? extends Annotation>> ALL = List.of(
            GlobalTransactional.class,
            GlobalLock.class,
            TccAction.class,
            SagaAction.class,
            SagaStep.class,
            Async.class);

    private final AnnotationIndex index = new AnnotationIndex();

    @Async
    @Retention(RetentionPolicy.RUNTIME)
    @interface Composed {}

    @Composed
    @Retention(RetentionPolicy.RUNTIME)
    @interface Twice {}

    @There
    @Retention(RetentionPolicy.RUNTIME)
    @interface Back {}

    @Back
    @Retention(RetentionPolicy.RUNTIME)
    @interface There {}

    interface Declares {
        @GlobalLock
        void read();
    }

    @GlobalTransactional
    abstract static class Parent implements Declares {}

    static class Child extends Parent {
        @Override
        public void read() {}

        @Twice
        void later() {}
    }

    @Back
    static class Plain {
        @Override
        public String toString() {
            return "plain";
        }
    }

    @Test
    void knowsWhatStandsOnAClassItsMethodsAndWhatItInherits() {
        assertThat(ALL.stream().filter(annotation -> index.has(Child.class, annotation)))
                .containsExactlyInAnyOrder(GlobalTransactional.class, GlobalLock.class, Async.class);
        assertThat(index.hasAny(Child.class, List.of(TccAction.class, SagaAction.class)))
                .isFalse();
        assertThat(index.hasAny(Child.class, List.of(TccAction.class, Async.class)))
                .isTrue();
    }

    @Test
    void seesThroughProxies() {
        Object proxy = Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Declares.class}, (self, method, arguments) -> null);
        assertThat(index.has(proxy.getClass(), GlobalLock.class)).isTrue();
    }

    @Test
    void findsNothingWhereNothingIs() {
        for (Class<?> type : List.of(Plain.class, Object.class, String.class, List.class, int.class, int[].class)) {
            assertThat(index.hasAny(type, ALL)).as(type.getName()).isFalse();
        }
    }
}
