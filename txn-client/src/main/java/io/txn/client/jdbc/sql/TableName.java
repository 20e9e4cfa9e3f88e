package io.txn.client.jdbc.sql;

import java.util.List;

/**
 * A table as the statement wrote it.
 *
 * @param parts the name, after schema and catalog where they were written
 * @param written the exact text, quotes included
 */
public record TableName(List<Identifier> parts, String written) {

    public TableName {
        parts = List.copyOf(parts);
    }

    public Identifier table() {
        return parts.get(parts.size() - 1);
    }

    /** Whether the statement itself says in which schema the table is. */
    public boolean qualified() {
        return parts.size() > 1;
    }
}
