package io.txn.spring.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.spring.GlobalTransactional;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.context.SmartLifecycle;

class AdviceExaminationTest {

    private final DefaultListableBeanFactory beans = new DefaultListableBeanFactory();

    @GlobalTransactional
    static class Shop implements SmartLifecycle {

        public static void make() {}

        @Override
        public void start() {}

        @Override
        public void stop() {}

        @Override
        public boolean isRunning() {
            return false;
        }
    }

    private String findings() {
        return new AdviceExamination(beans).examine().toString();
    }

    /** Lazy, nobody asks for it, and the application works. */
    @Test
    void aBeanWhoseClassIsNotThereIsNone() {
        RootBeanDefinition missing = new RootBeanDefinition();
        missing.setBeanClassName("com.acme.Missing");
        missing.setLazyInit(true);
        beans.registerBeanDefinition("missing", missing);
        assertThat(findings()).contains("no method of a bean opens global transactions");
    }

    @Test
    void countedIsWhatThereIsAdviceFor() {
        RootBeanDefinition shop = new RootBeanDefinition(Shop.class);
        shop.setLazyInit(true);
        beans.registerBeanDefinition("shop", shop);
        assertThat(findings()).contains("3 methods open");
    }
}
