package io.txn.client.jdbc;

import io.txn.client.jdbc.sql.Plan;
import java.sql.SQLException;
import java.util.List;

/** What each of several executions counts that went as one statement, whose rows come back in the order in which they were listed. For one run. */
final class EachCount {

    private final long[] counts;
    private int rows;

    /** @param counts takes them */
    EachCount(long[] counts) {
        this.counts = counts;
    }

    /** The executions up to the end of their rows. */
    static Query rows(Plan.SingleRow single, List<Parameters> executions) {
        Query query = new Query().add(single.head(), executions.get(0)).add(" ");
        for (int i = 0; i < executions.size(); i++) {
            query.add(i == 0 ? "" : ", ").add(single.row(), executions.get(i));
        }
        return query;
    }

    /** The next row. */
    void add(long count) {
        if (rows < counts.length) {
            counts[rows] = count;
        }
        rows++;
    }

    /** @throws SQLException when there were not as many rows as executions, so that nobody knows which is whose */
    void requireAll() throws SQLException {
        if (rows != counts.length) {
            throw new SQLException("of " + counts.length + " executions, " + rows + " rows came back");
        }
    }
}
