package io.txn.protocol.extension;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a coordinator says of itself in the head of the answer to a registration: the version of its jars, and its clock.
 *
 * @param version for people: nothing is decided by it; null when it does not say
 * @param time when it answered, by its own clock; null when it does not say
 */
public record About(@Nullable String version, @Nullable Instant time) {

    private static final String VERSION = "coordinator-version";
    private static final String TIME = "coordinator-time";
    private static final int VERSION_MAX = 64;

    /** Adds both fields. */
    public void write(Map<String, String> head) {
        if (version != null) {
            head.put(VERSION, version);
        }
        if (time != null) {
            head.put(TIME, Long.toString(time.toEpochMilli()));
        }
    }

    /** What a head says; what is not readable counts as not said, because nothing depends on it. */
    public static About read(Map<String, @Nullable String> head) {
        String version = head.get(VERSION);
        String time = head.get(TIME);
        return new About(
                version != null && version.length() <= VERSION_MAX && version.matches("[!-~]+") ? version : null,
                time != null && time.matches("\\d{1,15}") ? Instant.ofEpochMilli(Long.parseLong(time)) : null);
    }
}
