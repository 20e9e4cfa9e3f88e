package io.txn.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.ContextCarrier;
import io.txn.client.GlobalTransactionOptions;
import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.IdempotencyKey;
import io.txn.client.OnDuplicate;
import io.txn.client.Propagation;
import io.txn.client.ResultCodec;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.lang.reflect.Type;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.config.AutowireCapableBeanFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class GlobalTransactionalCheckTest {

    private final GlobalTransactionalOptions options = new GlobalTransactionalOptions(
            Duration.ofSeconds(60), text -> text.equals("${purchase.timeout}") ? "2m" : text, () -> TEXTS);
    private static final ResultCodec TEXTS = new ResultCodec() {
        @Override
        public String encode(Object result, Type declared) {
            return String.valueOf(result);
        }

        @Override
        public Object decode(String text, Type declared) {
            return text;
        }
    };

    private final GlobalLockOptions locks = new GlobalLockOptions(text -> text.equals("${wait}") ? "5s" : text);
    private final GlobalTransactionalCheck check = new GlobalTransactionalCheck(
            new AnnotationIndex(), () -> options, () -> locks, () -> null, ContextCarrier::new, () -> {
                throw new AssertionError("nothing is called");
            });

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

    static class OverridesWithFuture extends Buys<Object> {
        @Override
        public CompletableFuture<String> buy() {
            return CompletableFuture.completedFuture("");
        }
    }

    static class Buys<T> {
        @GlobalTransactional
        public T buy() {
            return null;
        }
    }

    static class SaysFuture extends Buys<Future<String>> {}

    @GlobalTransactional
    static class WholeInheritsFuture extends PlainFuture {}

    static class PlainFuture {
        public Future<String> buy() {
            return CompletableFuture.completedFuture("");
        }
    }

    @GlobalTransactional
    static class WholeWithFinal {
        public final void buy() {}
    }

    interface LaterByDefault {
        default Future<String> buyAsync() {
            return CompletableFuture.completedFuture("");
        }
    }

    @GlobalTransactional
    static class WholeWithLaterByDefault implements LaterByDefault {}

    static class Answer extends ResponseEntity<Future<String>> {
        Answer() {
            super(HttpStatus.OK);
        }
    }

    static class ReturnsAnswer {
        @GlobalTransactional
        public Answer buy() {
            return new Answer();
        }
    }

    static class PublishesBody {
        @GlobalTransactional
        public Mono<ResponseEntity<Flux<String>>> buy() {
            return Mono.empty();
        }
    }

    static class OverridesWithFinal extends Buys<String> {
        @Override
        public final String buy() {
            return "";
        }
    }

    static class ReturnsTask {
        @GlobalTransactional
        public WebAsyncTask<String> buy() {
            return new WebAsyncTask<>(() -> "");
        }
    }

    static class ReturnsBody {
        @GlobalTransactional
        public ResponseEntity<StreamingResponseBody> buy() {
            return ResponseEntity.ok(out -> {});
        }
    }

    static class BadTimeout {
        @GlobalTransactional(timeout = "soon")
        public void buy() {}
    }

    static class ZeroTimeout {
        @GlobalTransactional(timeout = "0s")
        public void buy() {}
    }

    static class KeyIsNoExpression {
        @GlobalTransactional(idempotencyKey = "#order.")
        public void buy(Order order) {}
    }

    static class KeyNamesNobody {
        @GlobalTransactional(idempotencyKey = "#ordr.id")
        public void buy(Order order) {}
    }

    static class KeyIsAlwaysTheSame {
        @GlobalTransactional(idempotencyKey = "'buy'")
        public void buy(Order order) {}
    }

    static class KeyWhereNothingBegins {
        @GlobalTransactional(idempotencyKey = "#order.id", propagation = Propagation.MANDATORY)
        public void buy(Order order) {}
    }

    static class KeyWithAnyResult {
        @GlobalTransactional(idempotencyKey = "#order.id")
        public Object buy(Order order) {
            return order;
        }
    }

    static class KeyWithLaterResult {
        @GlobalTransactional(idempotencyKey = "#order.id")
        public Flow.Publisher<String> buy(Order order) {
            return subscriber -> {};
        }
    }

    static class KeyWithSomeResult<T> {
        @GlobalTransactional(idempotencyKey = "#order.id")
        public T buy(Order order) {
            return null;
        }
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                KeyIsNoExpression.class,
                KeyNamesNobody.class,
                KeyIsAlwaysTheSame.class,
                KeyWhereNothingBegins.class,
                KeyWithAnyResult.class,
                KeyWithLaterResult.class,
                KeyWithSomeResult.class,
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
                OverridesWithFuture.class,
                SaysFuture.class,
                WholeInheritsFuture.class,
                WholeWithFinal.class,
                OverridesWithFinal.class,
                ReturnsTask.class,
                ReturnsBody.class,
                ReturnsAnswer.class,
                PublishesBody.class,
                WholeWithLaterByDefault.class,
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

    /** A mapper, a repository, a client: what a factory bean makes is not initialised, so it comes by later, and nobody can put advice on its interface. */
    @Test
    void anInterfaceThatIsGivenItsClassIsRefusedWhenItIsMade() {
        Object made = Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Shop.class}, (self, method, arguments) -> null);
        Object plain = Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {PlainShop.class}, (self, method, arguments) -> null);
        assertThatThrownBy(() -> check.postProcessAfterInitialization(made, "shop"))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_CONFIGURATION))
                .hasMessageContaining("that calls it");
        assertThat(check.postProcessAfterInitialization(plain, "shop")).isSameAs(plain);
    }

    /** As Spring's tests have their instances looked at: what makes proxies leaves these alone. */
    @Test
    void anAnnotationOnATestIsRefused() {
        assertThatThrownBy(() -> check.postProcessBeforeInitialization(
                        new PackagePrivate(),
                        PackagePrivate.class.getName() + AutowireCapableBeanFactory.ORIGINAL_INSTANCE_SUFFIX))
                .isInstanceOf(TxnException.class)
                .hasMessageContaining("its objects are no beans");
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

    @GlobalTransactional
    static class BelowAFinalOfOthers extends OfOthers {}

    static class OfOthers {
        public final void close() {}
    }

    /** What a library declares cannot be changed by who extends it, and was not meant. */
    @GlobalTransactional
    static class BelowFuturesOfOthers extends ForkJoinPool {}

    /** It never runs: what overrides it says what it returns. */
    abstract static class PlainBase<T> {
        @GlobalTransactional
        public abstract T buy();
    }

    static class SaysMono extends PlainBase<Mono<String>> {
        @Override
        @GlobalTransactional
        public Mono<String> buy() {
            return Mono.empty();
        }
    }

    @Test
    void ofAMethodThatIsOverriddenNothingIsAsked() {
        GlobalTransactionalCheck reactive = new GlobalTransactionalCheck(
                new AnnotationIndex(),
                () -> options,
                () -> locks,
                () -> new LaterResults() {
                    @Override
                    public boolean handles(Class<?> type) {
                        return type == Mono.class;
                    }

                    @Override
                    public Object run(
                            Class<?> type,
                            GlobalTransactionOptions wanted,
                            GlobalTransactionTemplate.Callback<?> method) {
                        throw new AssertionError("nothing is called");
                    }

                    @Override
                    public Object told(Class<?> type, Object result, Consumer<Throwable> failed) {
                        return result;
                    }
                },
                ContextCarrier::new,
                () -> {
                    throw new AssertionError("nothing is called");
                });
        SaysMono bean = new SaysMono();
        assertThat(reactive.postProcessBeforeInitialization(bean, "shop")).isSameAs(bean);
    }

    static final class FinalTwiceBehindInterface implements PlainShop {
        @Override
        @GlobalTransactional
        public final void buy() {}
    }

    static class Sells {
        public void sell(String what) {}
    }

    @GlobalTransactional(idempotencyKey = "#order.id")
    static class WholeKeyedBelow extends Sells {
        public void buy(Order order) {}
    }

    @Test
    void aKeyOnTheClassIsForTheMethodsThatItWasWrittenBy() throws Exception {
        assertThat(check.postProcessBeforeInitialization(new WholeKeyedBelow(), "shop"))
                .isNotNull();
        Object[] order = {new Order(7L, "ann", List.of())};
        assertThat(options.of(WholeKeyedBelow.class.getMethod("buy", Order.class), WholeKeyedBelow.class, order)
                        .idempotencyKey())
                .isNotNull();
        assertThat(options.of(
                                WholeKeyedBelow.class.getMethod("sell", String.class),
                                WholeKeyedBelow.class,
                                new Object[] {"tea"})
                        .idempotencyKey())
                .isNull();
    }

    /** Whoever calls another service by the interface of its jar cannot change that. */
    @Test
    void anInterfaceThatComesFromAJarIsNamedInTheLog(@TempDir Path directory) throws Exception {
        Path jar = directory.resolve("orders-api.jar");
        String file = Shop.class.getName().replace('.', '/') + ".class";
        try (InputStream code = getClass().getClassLoader().getResourceAsStream(file);
                JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new JarEntry(file));
            code.transferTo(out);
        }
        ClassLoader withoutShop = new ClassLoader(getClass().getClassLoader()) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
                if (name.equals(Shop.class.getName())) {
                    throw new ClassNotFoundException(name);
                }
                return super.loadClass(name, resolve);
            }
        };
        try (URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()}, withoutShop)) {
            Class<?> shop = loader.loadClass(Shop.class.getName());
            assertThat(shop).isNotEqualTo(Shop.class);
            Object client = Proxy.newProxyInstance(loader, new Class<?>[] {shop}, (self, method, arguments) -> null);
            assertThat(check.postProcessAfterInitialization(client, "shop")).isSameAs(client);
        }
    }

    @ParameterizedTest
    @ValueSource(
            classes = {
                BelowFuturesOfOthers.class,
                FinalTwiceBehindInterface.class,
                FinalBehindInterface.class,
                PackagePrivate.class,
                Whole.class,
                Part.class,
                BelowAFinalOfOthers.class,
                String.class
            })
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

    // Idempotency keys

    /** An order. */
    public record Order(Long id, String customer, List<String> items) {}

    static class Keyed extends KeyWithSomeResult<String> {
        @GlobalTransactional(idempotencyKey = "#order.id")
        public void byId(Order order) {}

        @GlobalTransactional(idempotencyKey = "#customer + '/' + #a1", onDuplicate = OnDuplicate.REFUSE)
        public List<Order> byCustomer(String customer, UUID number) {
            return List.of();
        }

        @GlobalTransactional(idempotencyKey = "#order.items")
        public void byItems(Order order) {}

        @GlobalTransactional(idempotencyKey = "#order.items.![#this].size()")
        public void byCount(Order order) {}
    }

    private IdempotencyKey key(String name, Object... arguments) {
        Method method = Stream.of(Keyed.class.getMethods())
                .filter(any -> any.getName().equals(name))
                .findAny()
                .orElseThrow();
        assertThat(options.of(method, Keyed.class).idempotencyKey()).isNull();
        return options.of(method, Keyed.class, arguments).idempotencyKey();
    }

    @Test
    void aKeyIsMadeOfTheArguments() {
        assertThat(check.postProcessBeforeInitialization(new Keyed(), "shop")).isInstanceOf(Keyed.class);
        Order order = new Order(7L, "ann", List.of("tea", "cup"));
        assertThat(key("byId", order).value()).isEqualTo("7");
        assertThat(key("byId", order).codec()).as("there is nothing to keep").isNull();
        UUID number = new UUID(1, 2);
        IdempotencyKey byCustomer = key("byCustomer", "ann", number);
        assertThat(byCustomer.value()).isEqualTo("ann/" + number);
        assertThat(byCustomer.onDuplicate()).isEqualTo(OnDuplicate.REFUSE);
        assertThat(byCustomer.result().getTypeName()).isEqualTo("java.util.List<" + Order.class.getTypeName() + '>');
        assertThat(byCustomer.codec()).isSameAs(TEXTS);
        assertThat(key("byCount", order).value()).isEqualTo("2");
        assertThat(key("buy", order).result()).as("as the subclass declares it").isEqualTo(String.class);
    }

    @Test
    void whatIsNoKeyIsRefusedBeforeAnythingRuns() {
        Object[][] calls = {
            {"byId", null},
            {"byId", new Order(null, "ann", List.of())},
            {"byItems", new Order(7L, "ann", List.of("tea"))},
            {"byCustomer", "x".repeat(200), new UUID(1, 2)}
        };
        for (Object[] call : calls) {
            Object[] arguments = Arrays.copyOfRange(call, 1, call.length);
            assertThatThrownBy(() -> key((String) call[0], arguments))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.BAD_IDEMPOTENCY_KEY));
        }
    }

    @Test
    void aResultThatNobodyCanStoreIsRefusedAtTheStart() {
        GlobalTransactionalOptions without =
                new GlobalTransactionalOptions(Duration.ofSeconds(60), text -> text, () -> null);
        assertThatThrownBy(() -> without.of(Keyed.class.getMethod("byCustomer", String.class, UUID.class), Keyed.class))
                .isInstanceOf(TxnException.class)
                .hasRootCauseInstanceOf(TxnException.class)
                .rootCause()
                .hasMessageContaining("ResultCodec");
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
