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
            CallLanes.Flight a = lanes.start(call(i, "a", Outcome.COMMIT), false);
            CallLanes.Flight b = lanes.start(call(100 + i, "b", Outcome.COMMIT), false);
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
        CallLanes.Flight commit = lanes.start(call(1, "a", Outcome.COMMIT), false);
        CallLanes.Flight rollback = lanes.start(call(2, "a", Outcome.ROLLBACK), false);
        assertThat(lanes.start(call(3, "a", Outcome.COMMIT), false)).isNull();
        assertThat(lanes.start(call(4, "a", Outcome.ROLLBACK), false)).isNull();
        lanes.land(commit);
        assertThat(lanes.next()).isEqualTo(4L);
        assertThat(lanes.start(call(4, "a", Outcome.ROLLBACK), false)).isNotNull();
        assertThat(lanes.hasNext()).isFalse();
        lanes.land(rollback);
        assertThat(lanes.next()).isEqualTo(3L);
    }

    @Test
    void aCallEndsOnceAndExpiresInOrder() {
        CallLanes lanes = new CallLanes(8);
        CallLanes.Flight one = lanes.start(call(1, "a", Outcome.COMMIT), false);
        CallLanes.Flight two = lanes.start(call(2, "b", Outcome.COMMIT), false);
        assertThat(lanes.start(call(1, "a", Outcome.COMMIT), false)).isNull();
        lanes.sent(one, 0, 100);
        lanes.sent(two, 0, 110);
        assertThat(lanes.expired(99)).isNull();
        assertThat(lanes.nextDeadline()).isEqualTo(100);
        assertThat(lanes.land(one)).isTrue();
        assertThat(lanes.land(one)).isFalse();
        assertThat(lanes.expired(110)).isSameAs(two);
    }

    @Test
    void aLongCallThatHangsKeepsNothingOfWhatCameAndWentBehindIt() {
        CallLanes lanes = new CallLanes(8);
        CallLanes.Flight hanging = lanes.start(call(1, "slow", Outcome.ROLLBACK), true);
        lanes.sent(hanging, 0, 3_600_000);
        for (long i = 2; i <= 10_000; i++) {
            CallLanes.Flight flight = lanes.start(call(i, "a", Outcome.ROLLBACK), false);
            lanes.sent(flight, i, 15_000);
            assertThat(lanes.nextDeadline()).isEqualTo(i + 15_000);
            assertThat(lanes.land(flight)).isTrue();
            assertThat(lanes.deadlines()).isEqualTo(1);
        }
        CallLanes.Flight lost = lanes.start(call(10_001, "a", Outcome.ROLLBACK), false);
        lanes.sent(lost, 10_001, 15_000);
        assertThat(lanes.expired(25_000)).isNull();
        assertThat(lanes.expired(25_001)).isSameAs(lost);
        assertThat(lanes.expired(25_001)).isNull();
        assertThat(lanes.land(lost)).isTrue();
        assertThat(lanes.nextDeadline()).isEqualTo(3_600_000);
        assertThat(lanes.land(hanging)).isTrue();
        assertThat(lanes.deadlines()).isZero();
        assertThat(lanes.nextDeadline()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void longCallsThatHangLeaveTheirRestToEverybodyElse() {
        CallLanes lanes = new CallLanes(32); // eight for each resource; eight long ones, two for each resource
        List<CallLanes.Flight> hanging = new ArrayList<>();
        for (long i = 0; i < 60; i++) {
            CallLanes.Flight flight = lanes.start(call(1 + i, "slow" + i % 6, Outcome.ROLLBACK), true);
            if (flight != null) {
                hanging.add(flight);
            }
        }
        assertThat(hanging).hasSize(8);
        assertThat(lanes.hasNext()).isFalse();
        for (long i = 0; i < 16; i++) {
            assertThat(lanes.start(call(101 + i, "a" + i % 4, Outcome.COMMIT), false))
                    .isNotNull();
        }
        assertThat(lanes.start(call(201, "a", Outcome.COMMIT), false)).isNull(); // half are for the background
        for (long i = 0; i < 8; i++) {
            assertThat(lanes.start(call(301 + i, "slow" + i % 6, Outcome.ROLLBACK), false))
                    .isNotNull();
        }
        lanes.land(hanging.get(0));
        Long next = lanes.next();
        assertThat(next).isNotNull();
        assertThat(lanes.start(call(next, "slow" + (next - 1) % 6, Outcome.ROLLBACK), true))
                .isNotNull();
        assertThat(lanes.next()).isNull();
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
        CallLanes.Flight flight = lanes.start(call, isLong(call));
        if (flight != null) {
            flights.add(flight);
        }
    }

    /** A third are. */
    private static boolean isLong(Effect.CallBranch call) {
        return call.transaction() % 3 == 0;
    }

    private static void check(List<CallLanes.Flight> flights) {
        assertThat(flights.size()).isLessThanOrEqualTo(12);
        assertThat(flights.stream()
                        .filter(flight -> !flight.call.inTurn() && !isLong(flight.call))
                        .count())
                .isLessThanOrEqualTo(6);
        assertThat(flights.stream().filter(flight -> isLong(flight.call)).count())
                .isLessThanOrEqualTo(3);
        Map<String, Integer> byResource = new HashMap<>();
        flights.forEach(flight -> byResource.merge(flight.call.resource(), 1, Integer::sum));
        assertThat(byResource.values()).allMatch(count -> count <= 3);
    }
}
