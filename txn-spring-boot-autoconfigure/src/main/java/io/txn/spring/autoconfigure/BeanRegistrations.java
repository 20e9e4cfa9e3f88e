package io.txn.spring.autoconfigure;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.Supplier;
import org.springframework.aop.config.AopConfigUtils;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.BeanDefinitionStoreException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryUtils;
import org.springframework.beans.factory.CannotLoadBeanClassException;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.ConfigurationPropertyState;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.ResolvableType;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.util.ClassUtils;

/**
 * Registers beans by the static methods that make them, on conditions that are asked in Java. A class of configuration says the same by annotations; but it is read, judged, made a bean
 * itself and looked through whenever somebody asks for a type, and with a class for each thing that may be absent that was most of what these beans cost the start of an application.
 *
 * <p>A method has the name of its bean and stands in a class whose signatures name only types that are there: that class is loaded when its first bean is made.
 */
final class BeanRegistrations {

    private static final String SESSION = "session";
    private static final String FRAMEWORK = "org.springframework.";

    /** Which objects Spring Cloud leaves alone when keys have changed while the application runs; and which these are unless somebody says so. */
    private static final String NEVER_REFRESHED = "spring.cloud.refresh.never-refreshable";

    private static final String NEVER_REFRESHED_BY_DEFAULT = "com.zaxxer.hikari.HikariDataSource";

    /** Cannot say what it has, and has nothing of ours. */
    private static final String SPRING_CLOUD_RANDOM = "cachedrandom";

    /** Applications that are named like it. */
    private static final String SAMPLES = "org.springframework.samples.";

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
        // A source is asked for a key in each form that it may be written in: so only where one is near.
        return mayBeSet(key.substring(0, key.lastIndexOf('.')))
                ? environment.getProperty(key, Boolean.class, otherwise)
                : otherwise;
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

    /** A type that is present, and not everywhere where this runs. */
    Class<?> type(String name) {
        return ClassUtils.resolveClassName(name, loader);
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

    /** The same for a type of this library, which no bean of the framework can be: those, nearly all, are not looked at. */
    boolean isOwnMissing(Class<?> type) {
        for (String name : registry.getBeanDefinitionNames()) {
            BeanDefinition bean = registry.getBeanDefinition(name);
            if (!bean.isAbstract() && !isOfFramework(bean) && isOf(name, type)) {
                return false;
            }
        }
        for (String name : beanFactory.getSingletonNames()) {
            if (!registry.containsBeanDefinition(name) && type.isInstance(beanFactory.getSingleton(name))) {
                return false;
            }
        }
        BeanFactory parent = beanFactory.getParentBeanFactory();
        return !(parent instanceof ListableBeanFactory above)
                || BeanFactoryUtils.beanNamesForTypeIncludingAncestors(above, type, true, false).length == 0;
    }

    private boolean isOf(String name, Class<?> type) {
        try {
            Class<?> known = beanFactory.getType(name, false);
            return known != null && type.isAssignableFrom(known);
        } catch (CannotLoadBeanClassException | BeanDefinitionStoreException e) {
            // Its class may be a placeholder that nobody has replaced yet. Conditions do not see such a bean either.
            return false;
        }
    }

    private boolean isOfFramework(BeanDefinition bean) {
        String maker = bean.getFactoryBeanName() == null ? bean.getBeanClassName() : bean.getFactoryBeanName();
        return maker != null
                && maker.startsWith(FRAMEWORK)
                && !maker.startsWith(SAMPLES)
                // What the framework makes for others may be of any type.
                && (bean.getFactoryMethodName() != null || !maker.endsWith("FactoryBean"));
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
        // What can be closed is closed because it says so (AutoCloseable). Inferring would look through each of the
        // others for methods that might mean that, and fail, twice.
        // Whoever looks for methods that listen to events takes every bean's class apart, also of those that are not
        // made, and loads what its methods speak of. There is none in these.
        bean.setAttribute(AutoProxyUtils.ORIGINAL_TARGET_CLASS_ATTRIBUTE, Object.class);
        registry.registerBeanDefinition(name, bean);
        return bean;
    }

    /** As {@code @EnableConfigurationProperties} names them; and by a name that a parameter can have. */
    private AbstractBeanDefinition bound(Class<?> properties, String prefix) {
        String name = prefix + '-' + properties.getName();
        registry.registerAlias(name, "txn" + properties.getSimpleName());
        return (AbstractBeanDefinition) registry.getBeanDefinition(name);
    }

    /** Has properties bound when somebody wants them. Where nothing is set below their prefix, they are not bound at all: each of them would be looked up in every source of properties, and its default converted from text. */
    <T extends Record> void bindLate(Class<T> properties, String prefix, Supplier<T> defaults) {
        AbstractBeanDefinition bean = bound(properties, prefix);
        bean.setLazyInit(true);
        Supplier<?> binding = bean.getInstanceSupplier();
        if (binding != null) {
            // Not now: sources of properties may be added until beans are made.
            bean.setInstanceSupplier(
                    () -> mayBeSet(prefix) || mayBeSetInPlaceholders(prefix) ? binding.get() : defaults.get());
        }
    }

    /** Binding looks there as well: a configurer can have properties of its own, and sources that are not the environment's. */
    private boolean mayBeSetInPlaceholders(String prefix) {
        ConfigurationPropertyName name = ConfigurationPropertyName.of(prefix);
        for (String bean : beanFactory.getSingletonNames()) {
            // Of one that is being made an early reference would be given out, which others have to take then.
            if (!beanFactory.isCurrentlyInCreation(bean)
                    && beanFactory.getSingleton(bean) instanceof PropertySourcesPlaceholderConfigurer configurer) {
                for (PropertySource<?> source : configurer.getAppliedPropertySources()) {
                    if (!source.getName()
                                    .equals(
                                            PropertySourcesPlaceholderConfigurer
                                                    .ENVIRONMENT_PROPERTIES_PROPERTY_SOURCE_NAME)
                            && mayHave(ConfigurationPropertySources.from(source), name)) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Whether some source of properties has a key below this one, or cannot say. */
    boolean mayBeSet(String prefix) {
        return mayBeSet(environment, prefix);
    }

    static boolean mayBeSet(Environment environment, String prefix) {
        return mayHave(ConfigurationPropertySources.get(environment), ConfigurationPropertyName.of(prefix));
    }

    private static boolean mayHave(Iterable<ConfigurationPropertySource> sources, ConfigurationPropertyName name) {
        for (ConfigurationPropertySource source : sources) {
            if (source.containsDescendantOf(name) != ConfigurationPropertyState.ABSENT
                    && !(source.getUnderlyingSource() instanceof PropertySource<?> random
                            && random.getName().equals(SPRING_CLOUD_RANDOM))) {
                return true;
            }
        }
        return false;
    }

    /**
     * Has Spring Cloud leave these alone when keys have changed while the application runs, besides what the application or Spring Cloud itself names. It would bind each bean with keys once more, and fails
     * over what cannot be: a pool in its wrapping, which it does not know as one of those that it leaves alone; and of records it says at WARN that they have no setters.
     */
    void neverRefreshed(List<String> types) {
        if (environment instanceof ConfigurableEnvironment all
                && arePresent("org.springframework.cloud.context.properties.ConfigurationPropertiesRebinder")) {
            StringJoiner names = new StringJoiner(",");
            names.add(environment.getProperty(NEVER_REFRESHED, NEVER_REFRESHED_BY_DEFAULT));
            types.forEach(names::add);
            String source = "txn, besides " + NEVER_REFRESHED;
            // A context may share the environment of its parent, and see what was named there.
            if (all.getPropertySources().contains(source)) {
                return;
            }
            all.getPropertySources().addFirst(new MapPropertySource(source, Map.of(NEVER_REFRESHED, names.toString())));
        }
    }

    /** Has proxies made for beans that there is advice for, as {@code @EnableAspectJAutoProxy} does. */
    void proxyAdvised() {
        AopConfigUtils.registerAspectJAnnotationAutoProxyCreatorIfNecessary(registry);
    }

    /** A bean that looks at or around others. */
    AbstractBeanDefinition infrastructure(Class<?> maker, String name, Class<?> type) {
        AbstractBeanDefinition bean = eager(maker, name, type);
        bean.setRole(BeanDefinition.ROLE_INFRASTRUCTURE);
        return bean;
    }
}
