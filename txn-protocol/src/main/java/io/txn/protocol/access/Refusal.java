package io.txn.protocol.access;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Why a registration was refused, as it rides in the head of the answer for clients that announced the feature {@value #FEATURE}. Seata's answer has
 * room for yes and no only.
 */
public final class Refusal {

    /** Announced in the head of a registration. */
    public static final String FEATURE = "refusal";

    /** The head field in which a client names the features it has, with commas between them. */
    public static final String FEATURES = "txn-features";

    private static final String CODE = "refusal";
    private static final String FACT = "refusal-";
    private static final int MOST_FACTS = 16;
    private static final int LONGEST_FACT = 1_000;

    private Refusal() {}

    /** Whether the sender of a registration with this head wants to know. */
    public static boolean isUnderstood(Map<String, @Nullable String> head) {
        String features = head.get(FEATURES);
        return features != null && List.of(features.split(",")).contains(FEATURE);
    }

    /** The head fields that say it. */
    public static Map<String, @Nullable String> head(ErrorCode code, Map<String, Object> facts) {
        Map<String, @Nullable String> head = new LinkedHashMap<>();
        head.put(CODE, code.id());
        facts.forEach((key, value) -> {
            if (head.size() <= MOST_FACTS) {
                String text = value.toString();
                head.put(FACT + key, text.length() <= LONGEST_FACT ? text : text.substring(0, LONGEST_FACT));
            }
        });
        return head;
    }

    /**
     * What the head of an answer says.
     *
     * @param facts more of the case, known here; alternating keys and values
     * @return REGISTRATION_REFUSED when it says nothing, or something of a later version
     */
    public static TxnException read(Map<String, @Nullable String> head, @Nullable Object... facts) {
        Map<String, Object> all = new LinkedHashMap<>(TxnException.asMap(facts));
        head.forEach((key, value) -> {
            if (key.startsWith(FACT) && value != null) {
                all.put(key.substring(FACT.length()), value);
            }
        });
        String id = head.get(CODE);
        ErrorCode code = ErrorCode.REGISTRATION_REFUSED;
        for (ErrorCode known : ErrorCode.values()) {
            if (known.id().equals(id)) {
                code = known;
            }
        }
        if (id != null && code == ErrorCode.REGISTRATION_REFUSED) {
            all.put("code", id);
        }
        Object[] pairs = new Object[all.size() * 2];
        int next = 0;
        for (Map.Entry<String, Object> fact : all.entrySet()) {
            pairs[next++] = fact.getKey();
            pairs[next++] = fact.getValue();
        }
        return new TxnException(code, null, pairs);
    }
}
