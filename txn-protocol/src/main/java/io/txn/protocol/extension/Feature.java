package io.txn.protocol.extension;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * An extension of Seata's protocol. A client names those it has in the head of each registration; a coordinator that has some of them too names these in
 * the head of its answer, under another name, so that a peer that merely sends heads back agrees to nothing. Either side uses a feature only on a connection on which
 * it was agreed. A feature never changes its meaning: what is different gets a new name. So no version is ever compared.
 */
public enum Feature {
    /** A refused registration says why; see {@link io.txn.protocol.access.Refusal}. */
    REFUSAL("refusal"),
    /** A request for rows may wait for them, and a refused one names who holds them; see {@link LockWait} and {@link LockRefusal}. */
    LOCK_WAIT("lock-wait"),
    /** A begin or a branch registration has an id by which it is known when it is asked again; see {@link RequestId}. */
    REQUEST_ID("request-id"),
    /** Clients name branches and transactions by ids that were lent to them, before the coordinator hears of them; see {@link IdLease}. */
    ID_LEASE("id-lease"),
    /** An undo reports the rows that are in its way, and takes a person's decision about them; see {@link UndoReport} and {@link UndoDecision}. */
    UNDO_DECISIONS("undo-decisions"),
    /** Why a transaction is rolled back travels with the decision, and that it may only be rolled back before it; see {@link RollbackCause}. */
    ROLLBACK_CAUSE("rollback-cause"),
    /** The answer to a registration says which coordinator this is, and what time it has; see {@link About}. */
    ABOUT("about"),
    /** A begin has the key of a business request, by which a repeated one gets the first outcome; see {@link RequestKey}. */
    IDEMPOTENCY("idempotency"),
    /** An undo asks, right before it commits, whether its branch is still to be undone; see {@link UndoConfirmation}. */
    UNDO_CONFIRMATION("undo-confirmation"),
    /** The answer to a registration says to which lock domain the coordinator belongs; see {@link LockDomain}. */
    LOCK_DOMAIN("lock-domain"),
    /** The coordinator drives sagas by plans that clients hand over, and calls their steps; see {@link io.txn.protocol.saga.SagaHead}. */
    SAGA("saga"),
    /** A branch registration says how long and how often the end of the branch is called; see {@link BranchPolicy}. */
    BRANCH_POLICY("branch-policy");

    private static final String ANNOUNCED = "txn-features";
    private static final String AGREED = "txn-features-agreed";

    private final String word;

    Feature(String word) {
        this.word = word;
    }

    /** All of them, in words with commas between them: for people. */
    public static String names() {
        return words(EnumSet.allOf(Feature.class));
    }

    /** The head field in which a client says that it has all of them. */
    public static Map<String, @Nullable String> announced() {
        Map<String, @Nullable String> head = new HashMap<>();
        head.put(ANNOUNCED, words(EnumSet.allOf(Feature.class)));
        return head;
    }

    /** What the head of a registration announces of the features known here. */
    public static Set<Feature> announcedIn(Map<String, @Nullable String> head) {
        return named(head.get(ANNOUNCED));
    }

    /** The head field in which a coordinator agrees to some. */
    public static Map<String, @Nullable String> agreed(Collection<Feature> features) {
        Map<String, @Nullable String> head = new HashMap<>();
        if (!features.isEmpty()) {
            head.put(AGREED, words(features));
        }
        return head;
    }

    /** What the head of an answer to a registration agrees to of the features known here. */
    public static Set<Feature> agreedIn(Map<String, @Nullable String> head) {
        return named(head.get(AGREED));
    }

    private static String words(Collection<Feature> features) {
        return features.stream().map(feature -> feature.word).sorted().collect(Collectors.joining(","));
    }

    private static Set<Feature> named(@Nullable String words) {
        Set<Feature> features = EnumSet.noneOf(Feature.class);
        if (words != null) {
            Set<String> all = Arrays.stream(words.split(",")).map(String::strip).collect(Collectors.toSet());
            for (Feature feature : values()) {
                if (all.contains(feature.word)) {
                    features.add(feature);
                }
            }
        }
        return features;
    }
}
