package io.txn.coordinator.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * What happened in a simulated world, for people. Off while thousands of worlds pass by; a world that breaks a promise is run again with it, which gives the
 * same world.
 */
final class Trace {

    static final Trace OFF = new Trace(false);

    private final boolean on;
    private final List<String> lines = new ArrayList<>();
    private int step;
    private long passed;

    private Trace(boolean on) {
        this.on = on;
    }

    static Trace on() {
        return new Trace(true);
    }

    void at(int newStep, long newPassed) {
        step = newStep;
        passed = newPassed;
    }

    /** Notes a line; the parts are put together only when somebody reads. */
    void note(Object... parts) {
        if (!on) {
            return;
        }
        StringBuilder line = new StringBuilder(String.format("%4d %+7d ms  ", step, passed));
        for (Object part : parts) {
            line.append(part);
        }
        lines.add(line.toString());
    }

    List<String> lines() {
        return lines;
    }
}
