package io.txn.spring.propagation;

import io.txn.client.GlobalTransactionTemplate;
import io.txn.client.TransactionContext;
import io.txn.client.WorkMode;
import io.txn.protocol.Xid;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What arrives of a global transaction with a call from another service, and what its answer says: the one place that every way in asks. A header that holds no
 * XID is ignored, with a line of log an hour: a stranger must not be able to turn it into an error, nor to fill the log. Thread-safe.
 */
public final class Incoming {

    private static final Logger log = LoggerFactory.getLogger(Incoming.class);

    /** No global transaction may take longer than that, in milliseconds. */
    private static final long LONGEST = Integer.MAX_VALUE;

    /** Of branches that a pair of methods of the application's ends, in Seata's words. */
    private static final String TCC = "TCC";

    private final Supplier<GlobalTransactionTemplate> transactions;
    private final Trust trust;
    private final InstantSource clock;

    /** @param transactions asked for when the first work fails, so that making a filter starts nothing */
    public Incoming(Supplier<GlobalTransactionTemplate> transactions, Trust trust, InstantSource clock) {
        this.transactions = transactions;
        this.trust = trust;
        this.clock = clock;
    }

    /** The context that a call brings; null when it brings none, or one that is not to be believed. */
    public @Nullable TransactionContext context(Arrival arrival) {
        List<String> xids = values(arrival, XidHeader.NAME);
        List<String> remaining = values(arrival, XidHeader.REMAINING);
        if (xids.size() > 1 || !xids.isEmpty() && remaining.size() > 1) {
            trust.ambiguous(arrival.from(), xids.size() > 1 ? XidHeader.NAME : XidHeader.REMAINING);
            return null;
        }
        Xid xid = xids.isEmpty() ? null : xidOf(arrival, xids.get(0));
        if (xid == null) {
            return null;
        }
        String left = remaining.isEmpty() ? null : remaining.get(0);
        List<String> signatures = values(arrival, XidHeader.SIGNATURE);
        String signature = signatures.size() == 1 ? signatures.get(0) : null;
        if (!trust.accepts(arrival.from(), xid.value(), left, signature)) {
            return null;
        }
        TransactionContext context = TransactionContext.participant(xid, deadline(left));
        // A caller of Seata's has this call confirmed or cancelled as a whole: undoing its rows besides would undo it
        // twice.
        return values(arrival, XidHeader.BRANCH_TYPE).contains(TCC) ? context.withMode(WorkMode.OWN) : context;
    }

    /** The different values of a header; a proxy may have made one line of several. */
    private static List<String> values(Arrival arrival, String name) {
        return arrival.headers().apply(name).stream()
                .flatMap(line -> Stream.of(line.split(",")))
                .map(String::trim)
                .filter(value -> !value.isEmpty())
                .distinct()
                .limit(2)
                .toList();
    }

    private @Nullable Instant deadline(@Nullable String remaining) {
        if (remaining == null) {
            return null;
        }
        if (!remaining.matches("\\d{1,10}") || Long.parseLong(remaining) > LONGEST) {
            log.warn("ignored a {} header of {} characters that is no time", XidHeader.REMAINING, remaining.length());
            return null;
        }
        return clock.instant().plusMillis(Long.parseLong(remaining));
    }

    /**
     * An exception leaves what the call is handled by. To be said before the answer is sent, also when nothing was kept so far; blocks on the network when something was.
     *
     * @param entry what it leaves, for people
     */
    public void failed(TransactionContext context, String entry, Throwable failure) {
        transactions.get().failed(context, entry, failure);
    }

    /**
     * The answer is about to leave, and its headers are not written yet: what was handed to other threads is waited for, or the transaction marked. Blocks if something was.
     *
     * @param entry what is answered, for people
     */
    public void answers(TransactionContext context, String entry) {
        if (context.participation().hasChildren() || context.participation().hasNews()) {
            transactions.get().answers(context, entry);
        }
    }

    /** How long {@link #answers} would wait: for those who cannot block, and say {@link #answersNow} after that. */
    public Duration answerWait(TransactionContext context) {
        return context.participation().hasChildren() ? transactions.get().answerWait(context) : Duration.ZERO;
    }

    /** Like {@link #answers}, but what is unfinished marks at once. Blocks on the network, if {@link #hasToTell}. */
    public void answersNow(TransactionContext context, String entry) {
        if (hasToTell(context)) {
            transactions.get().answersNow(context, entry);
        }
    }

    /** Whether the coordinator is to hear of something before the answer leaves. */
    public boolean hasToTell(TransactionContext context) {
        return context.participation().hasChildren() || context.participation().hasNews();
    }

    /**
     * Of an answer whose headers have left, at its end.
     *
     * @throws IOException when neither they nor the coordinator tell of a mark: an answer that came to its end would say that all is well
     */
    public void checkTold(TransactionContext context, String entry) throws IOException {
        if (context.participation().hasNews()) {
            throw new IOException("the answer to " + entry + " is broken off: work of " + context.xidWithin()
                    + " failed, its headers had left, and no coordinator could be told");
        }
    }

    /** Of an answer whose headers leave while its work goes on: what is known, and nothing that may still change. */
    public void answerSoFar(TransactionContext context, BiConsumer<String, String> headers) {
        if (context.participation().hasWorked() || context.participation().mark() != null) {
            answer(context, headers);
        }
    }

    /** Writes the headers of the answer. May be done again until the answer is sent. */
    public void answer(TransactionContext context, BiConsumer<String, String> headers) {
        headers.accept(XidHeader.WORK, context.participation().hasWorked() ? XidHeader.SOME_WORK : XidHeader.NO_WORK);
        String mark = context.participation().mark();
        if (mark != null) {
            headers.accept(XidHeader.ROLLBACK_ONLY, XidHeader.encoded(mark));
        }
    }

    private @Nullable Xid xidOf(Arrival arrival, String header) {
        String problem;
        try {
            Xid xid = new Xid(header);
            if (xid.number() > 0) {
                return xid;
            }
            problem = "it does not end in a colon and a number";
        } catch (IllegalArgumentException e) {
            problem = e.getMessage();
        }
        trust.noXid(arrival.from(), XidHeader.NAME, header.length(), problem);
        return null;
    }
}
