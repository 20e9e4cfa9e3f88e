package io.txn.spring.propagation;

import java.util.function.Supplier;
import org.glassfish.jersey.server.ContainerRequest;
import org.glassfish.jersey.server.ResourceConfig;
import org.glassfish.jersey.server.monitoring.ApplicationEvent;
import org.glassfish.jersey.server.monitoring.ApplicationEventListener;
import org.glassfish.jersey.server.monitoring.RequestEvent;
import org.glassfish.jersey.server.monitoring.RequestEventListener;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.config.BeanPostProcessor;

/** Sees the exception that leaves a resource of Jersey before an {@code ExceptionMapper} makes an answer of it. */
public final class JerseyExceptions implements ApplicationEventListener, BeanPostProcessor {

    private final Supplier<Incoming> incoming;

    /** @param incoming asked for when the first resource fails, so that nothing is started early */
    public JerseyExceptions(Supplier<Incoming> incoming) {
        this.incoming = incoming;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String beanName) {
        if (bean instanceof ResourceConfig resources && !resources.isRegistered(this)) {
            resources.register(this);
        }
        return bean;
    }

    @Override
    public void onEvent(ApplicationEvent event) {
        // Only requests matter.
    }

    @Override
    public RequestEventListener onRequest(RequestEvent begins) {
        return event -> {
            Throwable failure = event.getType() == RequestEvent.Type.ON_EXCEPTION ? event.getException() : null;
            if (failure != null) {
                failed(event.getContainerRequest(), failure);
            }
        };
    }

    private void failed(@Nullable ContainerRequest request, Throwable failure) {
        if (request != null && request.getProperty(XidFilter.ENTRY) instanceof ServletAnswer answer) {
            Throwable cause =
                    failure.getClass().getSimpleName().equals("MappableException") ? failure.getCause() : failure;
            incoming.get().failed(answer.context(), answer.entry(), cause == null ? failure : cause);
        }
    }
}
