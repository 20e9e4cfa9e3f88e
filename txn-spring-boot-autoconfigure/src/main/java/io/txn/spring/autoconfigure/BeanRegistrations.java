package io.txn.spring.autoconfigure;

import java.util.Arrays;
import java.util.Objects;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.core.ResolvableType;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/**
 * Registers beans by the static methods that make them, on conditions that are asked in Java. A class of configuration says the same by annotations; but it is read, judged, made a bean
 * itself and looked through whenever somebody asks for a type, and with a class for each thing that may be absent that was most of what these beans cost the start of an application.
 *
 * <p>A method has the name of its bean and stands in a class whose signatures name only types that are there: that class is loaded when its first bean is made.
 */
final class BeanRegistrations {

    private static final String SESSION = "session";

    private final BeanDefinitionRegistry registry;
    private final ConfigurableListableBeanFactory beanFactory;
    private final Environment environment;
    private final ClassLoader loader;

    BeanRegistrations(BeanDefinitionRegistry registry, Environment environment, ClassLoader loader) {
        this.registry = registry;
        this.beanFactory = (ConfigurableListableBeanFactory) registry;
        this.environment = environment;
        this.loader = loader;
    }

    /** Whether a key says yes, or nothing. */
    boolean isOn(String key) {
        return isOn(key, true);
    }

    /** Whether a key says yes; {@code otherwise} when it says nothing. */
    boolean isOn(String key, boolean otherwise) {
        return environment.getProperty(key, Boolean.class, otherwise);
    }

    /** Whether all these classes are on the class path. */
    boolean arePresent(String... types) {
        for (String type : types) {
            if (!ClassUtils.isPresent(type, loader)) {
                return false;
            }
        }
        return true;
    }

    /** Whether servlets serve this application. */
    boolean isServletApplication() {
        return Arrays.asList(beanFactory.getRegisteredScopeNames()).contains(SESSION);
    }

    boolean has(String bean) {
        return beanFactory.containsBean(bean);
    }

    /** Whether nobody has registered a bean of this type so far: the application's own come first. */
    boolean isMissing(Class<?> type) {
        return BeanFactoryUtils.beanNamesForTypeIncludingAncestors(beanFactory, type, true, false).length == 0;
    }

    /** A bean that is made when somebody wants it. */
    AbstractBeanDefinition lazy(Class<?> maker, String name, Class<?> type) {
        AbstractBeanDefinition bean = add(maker, name, ResolvableType.forClass(type));
        bean.setLazyInit(true);
        return bean;
    }

    /** A bean that is made at the start. */
    AbstractBeanDefinition eager(Class<?> maker, String name, Class<?> type) {
        return add(maker, name, ResolvableType.forClass(type));
    }

    /** The same for a type with parameters. */
    AbstractBeanDefinition add(Class<?> maker, String name, ResolvableType type) {
        RootBeanDefinition bean = new RootBeanDefinition(maker);
        bean.setUniqueFactoryMethodName(name);
        bean.setAutowireMode(AbstractBeanDefinition.AUTOWIRE_CONSTRUCTOR);
        bean.setTargetType(type);
        bean.setDestroyMethodName(AbstractBeanDefinition.INFER_METHOD);
        registry.registerBeanDefinition(name, bean);
        return bean;
    }

    /** Has properties bound when somebody wants them: those of what an application does not use cost its start nothing. */
    void bindLate(Class<?> properties) {
        ConfigurationProperties about =
                Objects.requireNonNull(AnnotationUtils.findAnnotation(properties, ConfigurationProperties.class));
        // As @EnableConfigurationProperties names them.
        registry.getBeanDefinition(about.prefix() + '-' + properties.getName()).setLazyInit(true);
    }

    Environment environment() {
        return environment;
    }

    ClassLoader classLoader() {
        return loader;
    }

    /** A bean that looks at or around others. */
    AbstractBeanDefinition infrastructure(Class<?> maker, String name, Class<?> type) {
        AbstractBeanDefinition bean = eager(maker, name, type);
        bean.setRole(BeanDefinition.ROLE_INFRASTRUCTURE);
        return bean;
    }
}
