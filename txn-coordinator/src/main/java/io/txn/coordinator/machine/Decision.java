package io.txn.coordinator.machine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What follows from a command.
 *
 * @param events to be journalled and applied, in order; empty when nothing changes
 * @param effects to be carried out when the events are durable
 * @param reply null when it comes later, as an {@link Effect.Settle} of another decision
 */
public record Decision(
        List<Event> events, List<Effect> effects, @Nullable Reply reply) {

    public Decision {
        events = List.copyOf(events);
        effects = List.copyOf(effects);
    }

    /** The same with another reply. */
    Decision replying(Reply other) {
        return new Decision(events, effects, other);
    }

    static Decision of(@Nullable Reply reply) {
        return new Decision(List.of(), List.of(), reply);
    }
}
