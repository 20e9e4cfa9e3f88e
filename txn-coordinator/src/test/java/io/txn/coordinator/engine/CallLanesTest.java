package io.txn.coordinator.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.coordinator.machine.ClientId;
import io.txn.coordinator.machine.Effect;
import io.txn.coordinator.machine.Outcome;
import io.txn.protocol.BranchType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class CallLanesTest {

    private static final ClientId SHOP = new ClientId("shop", "h", 1);

    private static Effect.CallBranch call(long transaction, String resource, Outcome phase) {
        return new Effect.CallBranch(
                transaction, "c:1", transaction * 10, BranchType.AT, resource, SHOP, null, phase, false, 1);
    }

    @Test
    void lanesThatWaitAreServedInTurn() {
        CallLanes lanes = new CallLanes(8); // two for each resource, one of them in the background
        List<CallLanes.Flight> flights = new ArrayList<>();
        for (long i = 1; i <= 3; i++) {
            CallLanes.Flight a = lanes.start(call(i, "a", Outcome.COMMIT));
            CallLanes.Flight b = lanes.start(call(100 + i, "b", Outcome.COMMIT));
            if (i == 1) {
                flights.add(a);
                flights.add(b);
            } else {
                assertThat(a).isNull();
                assertThat(b).isNull();
            }
        }
        assertThat(lanes.hasNext()).isFalse();
        assertThat(lanes.next()).isNull();
        flights.forEach(lanes::land);
        assertThat(List.of(lanes.next(), lanes.next())).containsExactlyInAnyOrder(2L, 102L);
    }

    @Test
    void whoIsWaitedForGoesFirst() {
        CallLanes lanes = new CallLanes(8);
        CallLanes.Flight commit = lanes.start(call(1, "a", Outcome.COMMIT));
        CallLanes.Flight rollback = lanes.start(call(2, "a", Outcome.ROLLBACK));
        assertThat(lanes.start(call(3, "a", Outcome.COMMIT))).isNull();
        assertThat(lanes.start(call(4, "a", Outcome.ROLLBACK))).isNull();
        lanes.land(commit);
        assertThat(lanes.next()).isEqualTo(4L);
        assertThat(lanes.start(call(4, "a", Outcome.ROLLBACK))).isNotNull();
        assertThat(lanes.hasNext()).isFalse();
        lanes.land(rollback);
        assertThat(lanes.next()).isEqualTo(3L);
    }

    @Test
    void aCallEndsOnceAndExpiresInOrder() {
        CallLanes lanes = new CallLanes(8);
        CallLanes.Flight one = lanes.start(call(1, "a", Outcome.COMMIT));
        CallLanes.Flight two = lanes.start(call(2, "b", Outcome.COMMIT));
        assertThat(lanes.start(call(1, "a", Outcome.COMMIT))).isNull();
        lanes.sent(one, 0, 100);
        lanes.sent(two, 0, 110);
        assertThat(lanes.expired(99)).isNull();
        assertThat(lanes.nextDeadline()).isEqualTo(100);
        assertThat(lanes.land(one)).isTrue();
        assertThat(lanes.land(one)).isFalse();
        assertThat(lanes.expired(110)).isSameAs(two);
    }

    @Test
    void boundsHoldAndEverybodyIsServedInTheEnd() {
        SplittableRandom random = new SplittableRandom(Long.getLong("txn.test.seed", 9));
        CallLanes lanes = new CallLanes(12);
        Map<Long, Effect.CallBranch> owed = new HashMap<>();
        List<CallLanes.Flight> flights = new ArrayList<>();
        for (long i = 1; i <= 2_000; i++) {
            owed.put(i, call(i, "r" + random.nextInt(6), random.nextBoolean() ? Outcome.COMMIT : Outcome.ROLLBACK));
            take(lanes, owed.get(i), flights);
            check(flights);
            if (random.nextBoolean() && !flights.isEmpty()) {
                land(lanes, flights.remove(random.nextInt(flights.size())), owed, flights);
            }
        }
        while (!flights.isEmpty()) {
            check(flights);
            land(lanes, flights.remove(random.nextInt(flights.size())), owed, flights);
        }
        assertThat(owed).isEmpty();
        assertThat(lanes.hasNext()).isFalse();
        assertThat(lanes.size()).isZero();
    }

    private static void land(
            CallLanes lanes,
            CallLanes.Flight flight,
            Map<Long, Effect.CallBranch> owed,
            List<CallLanes.Flight> flights) {
        assertThat(lanes.land(flight)).isTrue();
        owed.remove(flight.call.transaction());
        Long next;
        while ((next = lanes.next()) != null) {
            take(lanes, owed.get(next), flights);
        }
    }

    private static void take(CallLanes lanes, Effect.CallBranch call, List<CallLanes.Flight> flights) {
        CallLanes.Flight flight = lanes.start(call);
        if (flight != null) {
            flights.add(flight);
        }
    }

    private static void check(List<CallLanes.Flight> flights) {
        assertThat(flights.size()).isLessThanOrEqualTo(12);
        assertThat(flights.stream().filter(flight -> !flight.call.inTurn()).count())
                .isLessThanOrEqualTo(6);
        Map<String, Integer> byResource = new HashMap<>();
        flights.forEach(flight -> byResource.merge(flight.call.resource(), 1, Integer::sum));
        assertThat(byResource.values()).allMatch(count -> count <= 3);
    }
}
