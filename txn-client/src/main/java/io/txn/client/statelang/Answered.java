package io.txn.client.statelang;

import io.txn.client.statelang.State.Status;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What came of a state: what the coordinator keeps as its step's result.
 *
 * @param outputs variables
 * @param next where an exception led; null: where the definition goes on
 * @param failure why the saga turns back, or of an end: why the variables that the machine ended with are not here; null: neither
 */
record Answered(
        Status status,
        Map<String, @Nullable Object> outputs,
        @Nullable String next,
        @Nullable String failure) {

    static final String STATUS = "status";
    static final String OUTPUTS = "out";
    static final String NEXT = "next";
    static final String FAILURE = "failed";

    /** The failure of one that was kept; null: there is none. */
    static @Nullable String failure(@Nullable Object json) {
        Object failure = json instanceof Map<?, ?> answered ? answered.get(FAILURE) : null;
        return failure == null ? null : String.valueOf(failure);
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put(STATUS, status.name());
        json.put(OUTPUTS, outputs);
        if (next != null) {
            json.put(NEXT, next);
        }
        if (failure != null) {
            json.put(FAILURE, failure);
        }
        return json;
    }
}
