package io.txn.coordinator.engine;

/**
 * How rough a simulated world is, and how small. Drawn anew for each seed: mistakes hide where everything goes wrong at once as well as where one thing
 * goes wrong and all the rest is well. A mishap that happens "one in 0" never happens.
 *
 * @param loses one message in so many is lost
 * @param repeats one message in so many arrives twice
 * @param crashes one step in so many ends the coordinator's process
 * @param resourceCrashes one step in so many ends a resource manager's process
 * @param fails one call in so many fails and may work later
 * @param never one call in so many says that it will never work
 * @param diskTrouble one step in so many something happens to the disk
 * @param jumps one movement of the clock in so many is a jump
 * @param operators one step in so many an operator interferes with what needs no one
 * @param rows how many rows there are in each table, {@code resources} in how many resources: the fewer, the more conflicts
 * @param pointlessTimers how many timers that mean nothing may stay behind: the fewer, the more often all are set anew
 */
record Roughness(
        int steps,
        int transactions,
        int loses,
        int repeats,
        int crashes,
        int resourceCrashes,
        int fails,
        int never,
        int diskTrouble,
        int jumps,
        int operators,
        int rows,
        int resources,
        int unwritten,
        int callsInFlight,
        int maxAttempts,
        int snapshotRecords,
        int pointlessTimers) {

    static Roughness draw(Dice dice) {
        return new Roughness(
                dice.between(200, 600),
                dice.between(2, 8),
                dice.oneOf(0, 0, 10, 30),
                dice.oneOf(0, 0, 8, 30),
                dice.oneOf(0, 50, 100, 200),
                dice.oneOf(0, 15, 50),
                dice.oneOf(0, 2, 8),
                dice.oneOf(0, 0, 2, 8, 40),
                dice.oneOf(0, 0, 40, 100),
                dice.oneOf(0, 0, 3, 10),
                dice.oneOf(0, 0, 6, 20, 60),
                dice.oneOf(1, 1, 2, 3, 5),
                dice.between(1, 3),
                dice.oneOf(1, 1, 2, 100),
                dice.oneOf(2, 8, 60),
                dice.oneOf(0, 0, 1, 3),
                dice.oneOf(5, 25, 100),
                dice.oneOf(0, 0, 0, 4_096));
    }
}
