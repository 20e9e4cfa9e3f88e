package io.txn.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.Propagation;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GlobalTransactionalCheckTest {

    private final GlobalTransactionalOptions options = new GlobalTransactionalOptions(
            Duration.ofSeconds(60), text -> text.equals("${purchase.timeout}") ? "2m" : text);
    private final GlobalLockOptions locks = new GlobalLockOptions(text -> text.equals("${wait}") ? "5s" : text);
    private final GlobalTransactionalCheck check = new GlobalTransactionalCheck(() -> options, () -> locks, () -> null);

    // What cannot work

    static class ReturnsFuture {
        @GlobalTransactional
        public Future<String> buy() {
            return CompletableFuture.completedFuture("");
        }
    }

    static class ReturnsStage {
        @GlobalTransactional
        public CompletableFuture<String> buy() {
            return CompletableFuture.completedFuture("");
        }
    }

    static class ReturnsPublisher {
        @GlobalTransactional
        public Flow.Publisher<String> buy() {
            return subscriber -> {};
        }
    }

    static class ReturnsCallable {
        @GlobalTransactional
        public Callable<String> buy() {
            return () -> "";
        }
    }

    @GlobalTransactional
    static class ClassReturnsFuture {
        public CompletableFuture<String> buy() {
            return CompletableFuture.completedFuture("");
        }
    }

    static class PrivateMethod {
        @GlobalTransactional
        private void buy() {}
    }

    static class StaticMethod {
        @GlobalTransactional
        public static void buy() {}
    }

    static class FinalMethod {
        @GlobalTransactional
        public final void buy() {}
    }

    static final class FinalClass {
        @GlobalTransactional
        public void buy() {}
    }

    interface Shop {
        @GlobalTransactional
        void buy();
    }

    static class OnInterfaceMethod implements Shop {
        @Override
        public void buy() {}
    }

    @GlobalTransactional
    interface AnnotatedShop {
        void buy();
    }

    static class OnInterface implements AnnotatedShop {
        @Override
        public void buy() {}
    }

    @GlobalTransactional
    @Retention(RetentionPolicy.RUNTIME)
    @interface Purchase {}

    @Purchase
    static class Composed {
        public void buy() {}
    }

    static class InheritedFuture extends ReturnsFuture {}

    static class BadTimeout {
        @GlobalTransactional(timeout = "soon")
        public void buy() {}
    }

    static class ZeroTimeout {
        @GlobalTransactional(timeout = "0s")
        public void buy() {}
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                ReturnsFuture.class,
                ReturnsStage.class,
                ReturnsPublisher.class,
                ReturnsCallable.class,
                ClassReturnsFuture.class,
                PrivateMethod.class,
                StaticMethod.class,
                FinalMethod.class,
                FinalClass.class,
                OnInterfaceMethod.class,
                OnInterface.class,
                Composed.class,
                InheritedFuture.class,
                BadTimeout.class,
                ZeroTimeout.class
            })
    void whatCannotWorkIsRefusedWhenTheBeanIsMade(Class<?> type) throws Exception {
        Object bean = type.getDeclaredConstructor().newInstance();
        assertThatThrownBy(() -> check.postProcessBeforeInitialization(bean, "shop"))
                .isInstanceOfSatisfying(TxnException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION);
                    assertThat(e).hasMessageContaining("@GlobalTransactional on");
                });
    }

    // What does

    interface PlainShop {
        void buy();
    }

    static final class FinalBehindInterface implements PlainShop {
        @Override
        @GlobalTransactional
        public void buy() {}
    }

    static class PackagePrivate {
        @GlobalTransactional
        void buy() {}
    }

    @GlobalTransactional(timeout = "5s", name = "whole", propagation = Propagation.MANDATORY)
    static class Whole {
        public void buy() {}

        @GlobalTransactional(
                timeout = "${purchase.timeout}",
                noRollbackFor = IOException.class,
                rollbackFor = FileNotFoundException.class,
                noRollbackForClassName = "Harmless",
                rollbackForClassName = "VeryHarmless")
        public void own() {}

        private CompletableFuture<String> inner() {
            return CompletableFuture.completedFuture("");
        }
    }

    static class Part extends Whole {}

    @ParameterizedTest
    @ValueSource(classes = {FinalBehindInterface.class, PackagePrivate.class, Whole.class, Part.class, String.class})
    void whatWorksIsLeftAlone(Class<?> type) throws Exception {
        Object bean = type.getDeclaredConstructor().newInstance();
        assertThat(check.postProcessBeforeInitialization(bean, "shop")).isSameAs(bean);
    }

    @Test
    void theAnnotationOfTheMethodGoesBeforeThatOfTheClass() throws Exception {
        GlobalTransactionOptions whole = options.of(Whole.class.getMethod("buy"), Whole.class);
        assertThat(whole.name()).isEqualTo("whole");
        assertThat(whole.timeout()).isEqualTo(Duration.ofSeconds(5));
        assertThat(whole.propagation()).isEqualTo(Propagation.MANDATORY);

        GlobalTransactionOptions own = options.of(Whole.class.getMethod("own"), Whole.class);
        assertThat(own.name()).isEqualTo("Whole.own");
        assertThat(own.timeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(own.propagation()).isEqualTo(Propagation.REQUIRED);
        assertThat(own.rules().rollsBack(new IOException())).isFalse();
        assertThat(own.rules().rollsBack(new FileNotFoundException())).isTrue();
        assertThat(own.rules().rollsBack(new HarmlessException())).isFalse();
        assertThat(own.rules().rollsBack(new VeryHarmlessException())).isTrue();
        assertThat(options.of(Part.class.getMethod("buy"), Part.class).name()).isEqualTo("whole");
        assertThat(options.of(PackagePrivate.class.getDeclaredMethod("buy"), PackagePrivate.class)
                        .timeout())
                .isEqualTo(Duration.ofSeconds(60));
    }

    static class HarmlessException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    static class VeryHarmlessException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    // @GlobalLock

    static class GuardedPrivately {
        @GlobalLock
        private void write() {}

        void call() {
            write();
        }
    }

    static class GuardedForTooLong {
        @GlobalLock(lockWait = "soon")
        public void write() {}
    }

    static class GuardedBackwards {
        @GlobalLock(lockWait = "-1s")
        public void write() {}
    }

    @GlobalLock
    static class GuardedFuture {
        public Future<String> write() {
            return CompletableFuture.completedFuture("");
        }
    }

    @GlobalLock(lockWait = "${wait}")
    static class Guarded {
        public void write() {}

        @GlobalLock
        public void other() {}
    }

    @Test
    void aGlobalLockThatCannotWorkIsRefusedToo() throws NoSuchMethodException {
        for (Object bean : new Object[] {
            new GuardedPrivately(), new GuardedForTooLong(), new GuardedBackwards(), new GuardedFuture()
        }) {
            assertThatThrownBy(() -> check.postProcessBeforeInitialization(bean, "bean"))
                    .isInstanceOfSatisfying(TxnException.class, refused -> assertThat(refused.code())
                            .isEqualTo(ErrorCode.BAD_CONFIGURATION))
                    .hasMessageContaining("@GlobalLock on");
        }
        check.postProcessBeforeInitialization(new Guarded(), "bean");
        assertThat(locks.of(Guarded.class.getMethod("write"), Guarded.class).lockWait())
                .isEqualTo(Duration.ofSeconds(5));
        assertThat(locks.of(Guarded.class.getMethod("other"), Guarded.class).lockWait())
                .as("as long as global transactions wait")
                .isNull();
    }
}
