package io.txn.coordinator.lock;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the rows of a branch are held under: its resource, and the name of its database where the client tells it. A resource is a JDBC URL, and one database has many: by
 * {@code localhost} and {@code 127.0.0.1}, by a virtual address, by another driver's prefix. So clients of ours, which find the name in the database itself, meet each other under it whatever their URLs,
 * and meet Seata's clients, which know the URL only, under that. The name is looked for wherever it stands in the data: one too many means a wait, and to parse each registration costs more.
 */
public final class LockNames {

    /** No resource begins like this. */
    private static final String DATABASE = "database ";

    private static final String KEY = "\"rows\":\"";

    private static final int LONGEST = 64;

    private LockNames() {}

    /** The resource comes first. */
    public static List<String> of(String resource, @Nullable String applicationData) {
        String database = database(applicationData);
        return database == null ? List.of(resource) : List.of(resource, DATABASE + database);
    }

    /** Whether rows under this name are held under that of a resource besides. */
    static boolean isDatabase(String name) {
        return name.startsWith(DATABASE);
    }

    private static @Nullable String database(@Nullable String applicationData) {
        int key = applicationData == null ? -1 : applicationData.indexOf(KEY);
        if (applicationData == null || key < 0) {
            return null;
        }
        int from = key + KEY.length();
        int to = applicationData.indexOf('"', from);
        return to > from && to - from <= LONGEST ? applicationData.substring(from, to) : null;
    }
}
