package io.txn.coordinator.engine;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Everything that a simulated world leaves to chance: so a seed is the whole world. */
final class Dice {

    private final SplittableRandom random;
    private boolean calm;

    Dice(long seed) {
        random = new SplittableRandom(seed);
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    int between(int least, int most) {
        return least + random.nextInt(most - least + 1);
    }

    boolean coin() {
        return random.nextBoolean();
    }

    /** Whether a mishap happens that happens once in {@code n} times; never when {@code n} is 0 or the world is calm. */
    boolean mishap(int n) {
        return n > 0 && !calm && random.nextInt(n) == 0;
    }

    @SafeVarargs
    final <T> T oneOf(T... choices) {
        return choices[random.nextInt(choices.length)];
    }

    /** No mishaps from here on. */
    void calm() {
        calm = true;
    }

    RandomGenerator another() {
        return random.split();
    }
}
