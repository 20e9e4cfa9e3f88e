package io.txn.spring.autoconfigure;

import io.txn.client.saga.SagaEnded;
import java.util.Map;
import java.util.function.Consumer;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.core.ResolvableType;

/**
 * Makes an event of each saga that has ended, with the type of its input, which an object of a generic class does not tell by itself: a listener to {@code SagaEnded<Order>} hears of orders, and of
 * nothing else. Thread-safe.
 */
final class PublishedEnds implements Consumer<SagaEnded<?>> {

    private final ApplicationEventPublisher events;

    PublishedEnds(ApplicationEventPublisher events) {
        this.events = events;
    }

    @Override
    public void accept(SagaEnded<?> ended) {
        Object input = ended.input();
        ResolvableType type = input instanceof Map<?, ?>
                ? ResolvableType.forClassWithGenerics(Map.class, String.class, Object.class)
                : ResolvableType.forClass(input instanceof Enum<?> one ? one.getDeclaringClass() : input.getClass());
        events.publishEvent(new PayloadApplicationEvent<>(
                events, ended, ResolvableType.forClassWithGenerics(SagaEnded.class, type)));
    }
}
