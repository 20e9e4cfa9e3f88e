package io.txn.coordinator.engine;

import java.util.Arrays;

/**
 * A heap of (due time, transaction number) in two long arrays. An entry is a hint: when it is due, its owner asks whether it still holds. Not
 * thread-safe.
 */
final class DueTimes {

    private long[] times = new long[256];
    private long[] numbers = new long[256];
    private int size;

    void add(long time, long number) {
        if (size == times.length) {
            times = Arrays.copyOf(times, size * 2);
            numbers = Arrays.copyOf(numbers, size * 2);
        }
        int i = size++;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (times[parent] <= time) {
                break;
            }
            move(parent, i);
            i = parent;
        }
        set(i, time, number);
    }

    /** The earliest due time, or {@link Long#MAX_VALUE} when empty. */
    long earliest() {
        return size == 0 ? Long.MAX_VALUE : times[0];
    }

    /** Removes the entry with the earliest due time and returns its number. */
    long poll() {
        if (size == 0) {
            throw new IllegalStateException("empty");
        }
        long number = numbers[0];
        size--;
        long time = times[size];
        long last = numbers[size];
        int i = 0;
        while (true) {
            int child = 2 * i + 1;
            if (child >= size) {
                break;
            }
            if (child + 1 < size && times[child + 1] < times[child]) {
                child++;
            }
            if (times[child] >= time) {
                break;
            }
            move(child, i);
            i = child;
        }
        set(i, time, last);
        return number;
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
        if (times.length > 4096) {
            times = new long[256];
            numbers = new long[256];
        }
    }

    private void move(int from, int to) {
        times[to] = times[from];
        numbers[to] = numbers[from];
    }

    private void set(int i, long time, long number) {
        times[i] = time;
        numbers[i] = number;
    }
}
