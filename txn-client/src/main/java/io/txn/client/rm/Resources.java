package io.txn.client.rm;

import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The resources of this process by branch type and id. Thread-safe; grows only. */
public final class Resources {

    private static final Logger log = LoggerFactory.getLogger(Resources.class);

    private final Map<Key, BranchResource> known = new ConcurrentSkipListMap<>();

    /** Adds {@code resource}; false when one of its id and type is known already, which then stays. */
    boolean add(BranchResource resource) {
        String id = resource.resourceId();
        if (id.isBlank() || id.indexOf(',') >= 0) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "resource",
                    id,
                    "problem",
                    "a resource id is not empty and holds no comma");
        }
        BranchResource earlier = known.putIfAbsent(new Key(resource.branchType(), id), resource);
        if (earlier == null) {
            return true;
        }
        if (earlier != resource) {
            if (!earlier.standsFor(resource)) {
                throw new TxnException(
                        ErrorCode.BAD_CONFIGURATION,
                        null,
                        "resource",
                        id,
                        "problem",
                        "two data sources of this id work in different schemas or with different undo tables, so one could not finish the"
                                + " branches of the other; name the schema in the JDBC URL (PostgreSQL: currentSchema=…)");
            }
            log.info(
                    "resource is known already; the first one finishes the branches of both resource={} type={}",
                    id,
                    resource.branchType());
        }
        return false;
    }

    @Nullable
    BranchResource find(BranchType type, @Nullable String id) {
        return id == null ? null : known.get(new Key(type, id));
    }

    /** All resource ids, each once. */
    public List<String> ids() {
        return known.keySet().stream().map(Key::id).distinct().toList();
    }

    private record Key(BranchType type, String id) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byType = type.compareTo(other.type);
            return byType != 0 ? byType : id.compareTo(other.id);
        }
    }
}
