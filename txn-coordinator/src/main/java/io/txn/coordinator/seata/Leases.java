package io.txn.coordinator.seata;

import io.txn.coordinator.engine.Engine;
import io.txn.coordinator.machine.Command;
import io.txn.coordinator.machine.Reply;
import io.txn.coordinator.seata.Answering.Asked;
import io.txn.protocol.Xid;
import io.txn.protocol.codec.Frame;
import io.txn.protocol.extension.Feature;
import io.txn.protocol.extension.IdLease;
import io.txn.protocol.message.Message;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Ids that clients take in advance (feature {@code id-lease}): lends them with answers, and has transactions begun that are first heard of when something is asked about them. Thread-safe. */
final class Leases {

    private final SharedTexts shared;
    private final int longestName;
    private final Supplier<String> address;

    /** @param address that becomes part of every XID, once there is one */
    Leases(SharedTexts shared, int longestName, Supplier<String> address) {
        this.shared = shared;
        this.longestName = longestName;
        this.address = address;
    }

    /**
     * Has a transaction begun ahead of what is asked about it, which finds it then. Only when it does not, what the begin came to matters: that is in the
     * reference by then.
     */
    AtomicReference<@Nullable Reply> begunBefore(
            Engine serving, Session session, Xid xid, IdLease.@Nullable Beginning beginning) {
        AtomicReference<@Nullable Reply> begun = new AtomicReference<>();
        if (beginning == null || !xid.equals(Xid.of(address.get(), xid.number()))) {
            return begun;
        }
        String name = beginning.name();
        if (name.length() > longestName) {
            begun.set(SeataAdapter.tooLong("begin-name", name, longestName));
        } else {
            serving.submit(
                    new Command.Begin(
                            address.get(),
                            shared.share(name),
                            session.client,
                            beginning.timeoutMillis(),
                            null,
                            0,
                            xid.number()),
                    begun::set);
        }
        return begun;
    }

    /** Of a transaction that is not known because it could not be begun, why it could not. */
    static Reply because(@Nullable Reply begun, Reply reply) {
        return reply instanceof Reply.TransactionUnknown && begun instanceof Reply.Rejected ? begun : reply;
    }

    /** Ids that go with an answer. */
    static final class Lending {

        private final Session session;
        private final @Nullable Frame frame;
        private final AtomicReference<@Nullable Reply> reply = new AtomicReference<>();

        private Lending(Session session, @Nullable Frame frame) {
            this.session = session;
            this.frame = frame;
        }

        Asked with(Asked asked) {
            if (frame == null) {
                return asked;
            }
            return new Asked() {
                @Override
                public void answer(Message.Response response) {
                    if (reply.get() instanceof Reply.Leased leased) {
                        Map<String, String> head = new HashMap<>();
                        new IdLease(leased.first(), leased.count()).lend(head);
                        Answering.respondWith(session, frame, head, response);
                    } else {
                        asked.answer(response);
                    }
                }

                @Override
                public void unanswered() {
                    asked.unanswered();
                }
            };
        }
    }

    /** Asks for the ids that the frame asks for. They come before the answer to what is asked after them. */
    Lending lending(Engine serving, Session session, @Nullable Frame frame) {
        int count = frame != null && session.has(Feature.ID_LEASE) ? IdLease.asked(frame.head()) : 0;
        Lending lending = new Lending(session, count == 0 ? null : frame);
        if (count > 0) {
            serving.submit(new Command.LeaseIds(address.get(), count), lending.reply::set);
        }
        return lending;
    }
}
