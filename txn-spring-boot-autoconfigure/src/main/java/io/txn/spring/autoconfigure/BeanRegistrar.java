package io.txn.spring.autoconfigure;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanClassLoaderAware;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.context.EnvironmentAware;
import org.springframework.context.annotation.ImportBeanDefinitionRegistrar;
import org.springframework.core.env.Environment;
import org.springframework.core.type.AnnotationMetadata;

/** What an auto-configuration imports to have {@link BeanRegistrations} made. */
abstract class BeanRegistrar implements ImportBeanDefinitionRegistrar, EnvironmentAware, BeanClassLoaderAware {

    private @Nullable Environment environment;
    private @Nullable ClassLoader loader;

    @Override
    public final void setEnvironment(Environment environment) {
        this.environment = environment;
    }

    @Override
    public final void setBeanClassLoader(ClassLoader loader) {
        this.loader = loader;
    }

    @Override
    public final void registerBeanDefinitions(AnnotationMetadata importing, BeanDefinitionRegistry registry) {
        register(new BeanRegistrations(registry, Objects.requireNonNull(environment), Objects.requireNonNull(loader)));
    }

    /** Says which beans there are. The application's own are registered already. */
    abstract void register(BeanRegistrations beans);
}
