package io.txn.spring.doctor;

import io.txn.client.TxnClient;
import io.txn.client.rpc.CoordinatorState;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.Feature;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Which coordinators are connected, what they say of themselves, and whether their clocks go like ours. */
public final class CoordinatorsExamination implements Examination {

    private static final Duration FIRST_TRY = Duration.ofSeconds(5);

    private final Supplier<List<CoordinatorState>> states;
    private final Supplier<String> searched;
    private final Duration clocksMayDiffer;

    /** @param clocksMayDiffer by how much, beyond what the measurement leaves open */
    public CoordinatorsExamination(TxnClient client, Duration clocksMayDiffer) {
        this(() -> tried(client), client.locator()::description, clocksMayDiffer);
    }

    /** Right behind a start the first try is under way: whoever asks then wants to know how it ends. */
    private static List<CoordinatorState> tried(TxnClient client) {
        for (CoordinatorState state : client.coordinatorStates()) {
            if (!state.connected() && state.failure() == null) {
                client.awaitConnected(FIRST_TRY);
                break;
            }
        }
        return client.coordinatorStates();
    }

    CoordinatorsExamination(
            Supplier<List<CoordinatorState>> states, Supplier<String> searched, Duration clocksMayDiffer) {
        this.states = states;
        this.searched = searched;
        this.clocksMayDiffer = clocksMayDiffer;
    }

    @Override
    public String about() {
        return "coordinator";
    }

    @Override
    public List<Finding> examine() {
        List<CoordinatorState> all = states.get();
        if (all.isEmpty()) {
            return List.of(Finding.problem(ErrorCode.NO_COORDINATOR, "", "none is known; searched " + searched.get()));
        }
        List<Finding> findings = new ArrayList<>();
        for (CoordinatorState state : all) {
            String address = state.address().toString();
            if (state.connected()) {
                findings.add(Finding.well(address, connected(state)));
                Finding clock = clock(state);
                if (clock != null) {
                    findings.add(clock);
                }
            } else {
                findings.add(away(state));
            }
        }
        return findings;
    }

    private static Finding away(CoordinatorState state) {
        String address = state.address().toString();
        TxnException refusal = state.refusal();
        if (refusal != null) {
            return Finding.problem(refusal.code(), address, facts(refusal));
        }
        String reason = state.reason();
        return Finding.problem(
                ErrorCode.NO_COORDINATOR, address, reason == null ? "not connected yet" : "not connected: " + reason);
    }

    private static String facts(TxnException refusal) {
        String facts = refusal.facts().entrySet().stream()
                .map(fact -> fact.getKey() + "=" + fact.getValue())
                .collect(Collectors.joining(", "));
        return facts.isEmpty() ? "it refuses" : facts;
    }

    private static String connected(CoordinatorState state) {
        if (state.features().isEmpty()) {
            return "connected; a Seata server, or an older version: it has none of the extensions";
        }
        Set<Feature> missing = EnumSet.allOf(Feature.class);
        missing.removeAll(state.features());
        String version = state.version() == null ? "of unknown version" : "version " + state.version();
        String extensions = missing.isEmpty()
                ? "all extensions"
                : "all extensions but " + words(missing) + ", which came with a later version";
        Duration ahead = state.ahead();
        return "connected; " + version + ", " + extensions + (ahead == null ? "" : ", clock " + difference(state));
    }

    private static String words(Set<Feature> features) {
        return features.stream()
                .map(feature -> feature.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .collect(Collectors.joining(", "));
    }

    private static String difference(CoordinatorState state) {
        long millis = Objects.requireNonNull(state.ahead()).toMillis();
        long give = Objects.requireNonNull(state.uncertainty()).toMillis();
        String of = millis == 0 ? "equal" : Math.abs(millis) + " ms " + (millis > 0 ? "ahead" : "behind");
        return of + (give == 0 ? "" : " (± " + give + " ms)");
    }

    private @Nullable Finding clock(CoordinatorState state) {
        Duration ahead = state.ahead();
        Duration uncertainty = state.uncertainty();
        if (ahead == null
                || uncertainty == null
                || ahead.abs().minus(uncertainty).compareTo(clocksMayDiffer) <= 0) {
            return null;
        }
        return Finding.problem(
                ErrorCode.CLOCKS_DIFFER,
                state.address().toString(),
                "the coordinator's clock is " + difference(state) + " of ours");
    }
}
