package io.txn.spring.autoconfigure;

import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaStep;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotContribution;
import org.springframework.beans.factory.aot.BeanFactoryInitializationAotProcessor;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.util.ReflectionUtils;

/**
 * What a native image has to know of sagas: which classes write references to methods into definitions, as on a JVM these can be looked into without a word, and which methods are called as steps. Runs when an
 * application is processed ahead of time, and never else.
 */
final class SagaAotProcessor implements BeanFactoryInitializationAotProcessor {

    static final String FILE = "META-INF/native-image/io.txn/sagas/serialization-config.json";

    @Override
    public @Nullable BeanFactoryInitializationAotContribution processAheadOfTime(
            ConfigurableListableBeanFactory beanFactory) {
        TreeSet<String> defining = new TreeSet<>();
        for (String name : beanFactory.getBeanNamesForType(SagaDefinition.class, true, false)) {
            Class<?> by = definedBy(beanFactory.getMergedBeanDefinition(name));
            if (by != null) {
                defining.add(by.getName());
            }
        }
        List<Method> steps = new ArrayList<>();
        for (String name : beanFactory.getBeanDefinitionNames()) {
            Class<?> type = beanFactory.getType(name, false);
            if (type != null) {
                addSteps(type, steps);
            }
        }
        if (defining.isEmpty() && steps.isEmpty()) {
            return null;
        }
        String json = defining.stream()
                .map(type -> "{\"name\":\"" + type + "\"}")
                .collect(Collectors.joining(",", "{\"types\":[],\"lambdaCapturingTypes\":[", "],\"proxies\":[]}"));
        return (generation, code) -> {
            generation.getGeneratedFiles().addResourceFile(FILE, json);
            steps.forEach(
                    step -> generation.getRuntimeHints().reflection().registerMethod(step, ExecutableMode.INVOKE));
        };
    }

    /** The class whose method makes the bean. */
    private static @Nullable Class<?> definedBy(BeanDefinition definition) {
        Method made = definition instanceof RootBeanDefinition root ? root.getResolvedFactoryMethod() : null;
        return made == null ? null : made.getDeclaringClass();
    }

    /** The methods of the class that are steps, and those that undo them. */
    private static void addSteps(Class<?> type, List<Method> steps) {
        for (Method method : ReflectionUtils.getAllDeclaredMethods(type)) {
            SagaStep step = method.getAnnotation(SagaStep.class);
            if (step != null) {
                for (Method one : ReflectionUtils.getAllDeclaredMethods(type)) {
                    if (one.equals(method) || one.getName().equals(step.compensation())) {
                        steps.add(one);
                    }
                }
            }
        }
    }
}
