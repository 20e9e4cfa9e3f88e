package io.txn.spring;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.core.spi.ContextAwareBase;
import java.util.List;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.ProxyFactory;
import org.springframework.aop.framework.autoproxy.DefaultAdvisorAutoProxyCreator;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.support.GenericApplicationContext;

class AnnotatedMethodsTest {

    /** Says which calls it came around. */
    private static final class Mark extends AnnotatedMethods {

        Mark() {
            super(new AnnotationIndex(), 0, List.of(GlobalTransactional.class));
        }

        @Override
        @Nullable
        Object around(MethodInvocation call) throws Throwable {
            return "around " + proceed(call);
        }
    }

    interface Orders {
        String place();

        @GlobalTransactional
        default String cancel() {
            return "cancel";
        }
    }

    static class Inherited {
        @GlobalTransactional
        public String parent() {
            return "parent";
        }
    }

    static class Annotated extends Inherited implements Orders {
        @Override
        @GlobalTransactional
        public String place() {
            return "place";
        }

        public String look() {
            return "look";
        }
    }

    @GlobalTransactional
    static class Whole {
        public String open() {
            return "open";
        }

        String hidden() {
            return "hidden";
        }
    }

    static class Plain {
        public String look() {
            return "look";
        }
    }

    static class Base<T> {
        @GlobalTransactional
        public String buy(T what) {
            return "buy";
        }

        public String sell(T what) {
            return "sell";
        }
    }

    static class Overriding extends Base<String> {
        @Override
        public String buy(String what) {
            return "buy " + what;
        }
    }

    @GlobalTransactional
    static class WholeBelow extends Base<String> {}

    /** With methods that others declare, and one of the application's own interface. */
    @GlobalTransactional
    static class BelowOthers extends ContextAwareBase implements SmartLifecycle, Defaults {
        public String open() {
            return "open";
        }

        @Override
        public void start() {}

        @Override
        public void stop() {}

        @Override
        public boolean isRunning() {
            return false;
        }
    }

    interface Defaults {
        default String given() {
            return "given";
        }
    }

    private static <T> T proxied(T target, boolean byClass) {
        ProxyFactory factory = new ProxyFactory(target);
        factory.setProxyTargetClass(byClass);
        factory.addAdvisor(new Mark());
        @SuppressWarnings("unchecked")
        T proxy = (T) factory.getProxy();
        return proxy;
    }

    @Test
    void comesAroundAnnotatedMethodsOnlyWhereverTheyAreDeclared() {
        Annotated bean = proxied(new Annotated(), true);

        assertThat(bean.place()).isEqualTo("around place");
        assertThat(bean.parent()).isEqualTo("around parent");
        assertThat(bean.cancel()).isEqualTo("around cancel");
        assertThat(bean.look()).isEqualTo("look");
    }

    @Test
    void comesAroundMethodsOfAClassBehindItsInterface() {
        Orders bean = proxied((Orders) new Annotated(), false);

        assertThat(bean.place()).isEqualTo("around place");
        assertThat(bean.cancel()).isEqualTo("around cancel");
    }

    @Test
    void comesAroundADefaultMethodOfAnInterfaceWhoseClassSaysNothing() {
        class Silent implements Orders {
            @Override
            public String place() {
                return "place";
            }
        }
        Orders bean = proxied((Orders) new Silent(), false);

        assertThat(bean.cancel()).isEqualTo("around cancel");
        assertThat(bean.place()).isEqualTo("place");
    }

    @Test
    void comesAroundThePublicMethodsOfAnAnnotatedClass() {
        Whole bean = proxied(new Whole(), true);

        assertThat(bean.open()).isEqualTo("around open");
        assertThat(bean.hidden()).isEqualTo("hidden");
    }

    /** As Spring's own annotations do; nobody would see that the transaction is gone. */
    @Test
    void comesAroundAMethodThatOverridesAnAnnotatedOne() {
        Overriding bean = proxied(new Overriding(), true);
        Base<String> same = bean;

        assertThat(bean.buy("tea")).isEqualTo("around buy tea");
        assertThat(same.buy("tea")).isEqualTo("around buy tea");
        assertThat(bean.sell("tea")).isEqualTo("sell");
    }

    @Test
    void anAnnotationOnTheClassMeansThePublicMethodsThatItInherits() {
        WholeBelow bean = proxied(new WholeBelow(), true);

        assertThat(bean.sell("tea")).isEqualTo("around sell");
        assertThat(bean.toString()).doesNotContain("around");
    }

    @Test
    void whatOthersDeclareIsNotMeantByAnAnnotationOnTheClass() throws Exception {
        Mark mark = new Mark();
        assertThat(mark.matches(BelowOthers.class.getMethod("open"), BelowOthers.class))
                .isTrue();
        assertThat(mark.matches(BelowOthers.class.getMethod("start"), BelowOthers.class))
                .isTrue();
        assertThat(mark.matches(BelowOthers.class.getMethod("given"), BelowOthers.class))
                .isTrue();
        assertThat(mark.matches(BelowOthers.class.getMethod("getPhase"), BelowOthers.class))
                .as("of the framework's interface")
                .isFalse();
        assertThat(mark.matches(BelowOthers.class.getMethod("addInfo", String.class), BelowOthers.class))
                .as("of a library's class")
                .isFalse();
    }

    /** Such as that of a security library beside Spring Boot's. */
    @Test
    void comesAroundOnceWhereTwoCreatorsMakeProxies() {
        try (GenericApplicationContext context = new GenericApplicationContext()) {
            context.registerBean("mark", Mark.class, () -> new Mark());
            context.registerBean("orders", Annotated.class, () -> new Annotated());
            for (String name : List.of("one", "other")) {
                context.registerBean(name, DefaultAdvisorAutoProxyCreator.class, () -> {
                    DefaultAdvisorAutoProxyCreator creator = new DefaultAdvisorAutoProxyCreator();
                    creator.setProxyTargetClass(true);
                    return creator;
                });
            }
            context.refresh();
            Annotated bean = context.getBean(Annotated.class);
            assertThat(((Advised) bean).getTargetSource().getTargetClass()).isNotEqualTo(Annotated.class);

            assertThat(bean.place()).isEqualTo("around place");
            assertThat(bean.cancel()).isEqualTo("around cancel");
            assertThat(bean.look()).isEqualTo("look");
        }
    }

    @Test
    void looksAtNoMethodOfClassesThatCannotMatch() {
        Mark mark = new Mark();

        assertThat(mark.matches(Plain.class)).isFalse();
        assertThat(mark.matches(Annotated.class)).isTrue();
        assertThat(mark.matches(Whole.class)).isTrue();
    }
}
