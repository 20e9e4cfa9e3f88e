package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.GlobalTransactionalAspect;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Advisor;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.BeanDefinitionStoreException;
import org.springframework.beans.factory.CannotLoadBeanClassException;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/** Whether each {@link GlobalTransactional} that is there has an effect, and begins outside of the local transaction. Looks at beans that are made, and makes none. */
public final class AdviceExamination implements Examination {

    private final ConfigurableListableBeanFactory beanFactory;

    public AdviceExamination(ConfigurableListableBeanFactory beanFactory) {
        this.beanFactory = beanFactory;
    }

    @Override
    public String about() {
        return "annotations";
    }

    @Override
    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        int methods = 0;
        for (String name : beanFactory.getBeanDefinitionNames()) {
            Object bean = beanFactory.containsSingleton(name) ? beanFactory.getSingleton(name) : null;
            // One that is not made, or not once for all, has its class at least.
            Class<?> found = bean == null ? typeByDefinition(name) : AopUtils.getTargetClass(bean);
            Class<?> type = found == null ? null : ClassUtils.getUserClass(found);
            if (type == null || !AnnotationUtils.isCandidateClass(type, GlobalTransactional.class)) {
                continue;
            }
            List<Method> annotated = annotated(type);
            methods += annotated.size();
            if (bean != null && !annotated.isEmpty()) {
                Finding problem = problem(name, bean, type, annotated);
                if (problem != null) {
                    findings.add(problem);
                }
            }
        }
        if (findings.isEmpty()) {
            findings.add(Finding.well(
                    "",
                    methods == 0
                            ? "no method of a bean opens global transactions here; it takes part in those of others"
                            : methods + (methods == 1 ? " method opens" : " methods open")
                                    + " global transactions, outside of local ones"));
        }
        return findings;
    }

    private static List<Method> annotated(Class<?> type) {
        List<Method> annotated = new ArrayList<>();
        for (Method method : ReflectionUtils.getUniqueDeclaredMethods(type)) {
            if (!method.isSynthetic() && GlobalTransactionalAspect.opens(method, type)) {
                annotated.add(method);
            }
        }
        return annotated;
    }

    /** Null also where its class is not there, or is said later: such a bean is none yet. */
    private @Nullable Class<?> typeByDefinition(String name) {
        try {
            return beanFactory.getType(name, false);
        } catch (CannotLoadBeanClassException | BeanDefinitionStoreException e) {
            return null;
        }
    }

    private @Nullable Finding problem(String name, Object bean, Class<?> type, List<Method> annotated) {
        List<Advisor> advisors = bean instanceof Advised advised ? List.of(advised.getAdvisors()) : List.of();
        int ours = -1;
        int local = -1;
        for (int i = 0; i < advisors.size(); i++) {
            Advisor advisor = advisors.get(i);
            if (advisor.getAdvice() instanceof GlobalTransactionalAspect) {
                ours = ours < 0 ? i : ours;
            } else if (isTransactionAdvice(advisor)) {
                local = local < 0 ? i : local;
            }
        }
        if (ours < 0) {
            return Finding.problem(
                    ErrorCode.ANNOTATION_WITHOUT_EFFECT,
                    name,
                    annotated.get(0).getName() + " of " + type.getName() + " is called without a proxy");
        }
        if (local >= 0 && local < ours && advisors.get(local) instanceof PointcutAdvisor pointcut) {
            for (Method method : annotated) {
                if (pointcut.getPointcut().getMethodMatcher().matches(method, type)) {
                    return Finding.problem(
                            ErrorCode.ADVICE_INSIDE_TRANSACTION,
                            name,
                            method.getName() + " of " + type.getName()
                                    + ": its local transaction is begun first, by the advice at place " + (local + 1)
                                    + ", the global one at place " + (ours + 1));
                }
            }
        }
        return null;
    }

    /** By name: spring-tx may not be there. */
    private static boolean isTransactionAdvice(Advisor advisor) {
        for (Class<?> type = advisor.getAdvice().getClass(); type != null; type = type.getSuperclass()) {
            if (type.getName().equals("org.springframework.transaction.interceptor.TransactionInterceptor")) {
                return true;
            }
        }
        return false;
    }
}
