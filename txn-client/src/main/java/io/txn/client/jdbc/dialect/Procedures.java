package io.txn.client.jdbc.dialect;

import io.txn.client.jdbc.sql.Mentions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Procedures of one name.
 *
 * @param refusal why one of them may write, or may do with the transaction or the session what its caller does not see; null when none does so itself
 * @param texts their texts; what these call may still write
 */
public record Procedures(@Nullable String refusal, List<Mentions> texts) {

    public Procedures {
        texts = List.copyOf(texts);
    }
}
