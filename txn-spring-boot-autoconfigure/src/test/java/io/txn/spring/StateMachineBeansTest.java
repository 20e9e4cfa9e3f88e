package io.txn.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.statelang.Services;
import java.lang.reflect.Method;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.BeanDefinitionBuilder;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;

/** Beans as services of state machines. */
class StateMachineBeansTest {

    public static class Shop {
        public String buy(String what) {
            if (what.isEmpty()) {
                throw new IllegalStateException("nothing to buy");
            }
            return "a " + what;
        }
    }

    @Test
    void aBeanThatIsNotToBeHadIsNoServiceThatThrew() throws Throwable {
        DefaultListableBeanFactory beans = new DefaultListableBeanFactory();
        beans.registerSingleton("open", new Shop());
        beans.registerBeanDefinition(
                "closed",
                BeanDefinitionBuilder.genericBeanDefinition(Shop.class, () -> {
                            throw new IllegalStateException("no database");
                        })
                        .getBeanDefinition());
        Services services = StateMachineBeans.services(beans);
        Method buy = Shop.class.getMethod("buy", String.class);
        assertThat(services.call("open", buy, new Object[] {"hat"})).isEqualTo("a hat");
        assertThatThrownBy(() -> services.call("open", buy, new Object[] {""}))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessage("nothing to buy");
        assertThatThrownBy(() -> services.call("closed", buy, new Object[] {"hat"}))
                .isInstanceOf(Services.NotCalledException.class)
                .hasMessageContaining("service closed is not to be had")
                .hasRootCauseMessage("no database");
    }
}
