package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Stored;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The rows of one table whose keys the executions of one statement name, read by as few queries as that takes. For one run. */
final class KeyedRows {

    /** From a thousand values on, MariaDB would make a table of a list. */
    private static final int VALUES_PER_LIST = 999;

    private static final int VALUES_PER_QUERY = 4 * VALUES_PER_LIST;

    private final WriteRun run;
    private final TableImages images;
    private final List<Column> columns;
    private final Fragment source;
    private final List<Part> key;

    /**
     * A column of the key.
     *
     * @param written its name, as it stands in the query
     * @param value a literal or a parameter
     */
    record Part(String written, Fragment value) {

        /** In one list, values of several kinds would be compared in another way than each alone. */
        boolean boundAlike(List<Parameters> elements) {
            int parameter = value.firstParameter() + 1;
            return value.parameterCount() == 0
                    || elements.stream().allMatch(e -> e.boundLike(elements.get(0), parameter));
        }
    }

    /**
     * Reads nothing yet.
     *
     * @param columns which the images hold
     * @param source table and alias
     * @param key in the key's order
     */
    KeyedRows(WriteRun run, TableImages images, List<Column> columns, Fragment source, List<Part> key) {
        this.run = run;
        this.images = images;
        this.columns = columns;
        this.source = source;
        this.key = key;
    }

    /** The rows that the elements name, by key. */
    Map<List<Value>, List<Value>> read(List<Parameters> elements, boolean lock) throws SQLException {
        return read(elements, lock, false);
    }

    /**
     * The rows that the elements name, by key.
     *
     * @param mark whether {@link ConnectionHandler#MARK} is set on the way, by the same message where that is understood
     */
    Map<List<Value>, List<Value>> read(List<Parameters> elements, boolean lock, boolean mark) throws SQLException {
        Map<List<Value>, List<Value>> rows = new LinkedHashMap<>();
        int together = VALUES_PER_QUERY / key.size();
        for (int from = 0; from < elements.size(); from += together) {
            List<Parameters> some = elements.subList(from, Math.min(from + together, elements.size()));
            List<List<Value>> found = new ArrayList<>();
            if (!(mark && from == 0 && marking(some, lock, found))) {
                images.readImage(addTo(new Query(), some, lock), () -> {}, columns, found);
            }
            found.forEach(row -> rows.put(images.keyOf(columns, row), row));
        }
        return rows;
    }

    /** Reads behind a savepoint that comes with the query; where the two cannot go together it is set by itself, and nothing is read. */
    private boolean marking(List<Parameters> elements, boolean lock, List<List<Value>> found) throws SQLException {
        if (run.session().marksTogether(run.scope())) {
            try {
                Query query =
                        addTo(new Query().add("BEGIN NOT ATOMIC " + ConnectionHandler.MARK + "; "), elements, lock);
                images.readImage(query.add(ConnectionHandler.END), () -> {}, columns, found);
                return true;
            } catch (SQLException e) {
                if (!LocalCommit.isNotUnderstood(e)) {
                    throw e;
                }
                // If it is the application's own mistake, it is found again.
            }
        }
        run.session().mark();
        return false;
    }

    private Query addTo(Query query, List<Parameters> elements, boolean lock) {
        query.add("SELECT " + run.dialect().identity("", images.table()) + TableImages.reads(columns, "") + " FROM ");
        @Nullable Object @Nullable [] numbers = numbers(elements);
        if (numbers == null) {
            addKeys(query.add(source, elements.get(0)).add(" WHERE "), elements);
        } else {
            // Names that no table or column has.
            query.add("UNNEST(CAST(? AS BIGINT ARRAY)) AS \"txn named\"(\"txn key\") JOIN ", numbers)
                    .add(source, elements.get(0))
                    .add(" ON \"txn key\" = " + key.get(0).written());
        }
        return query.add(lock ? run.dialect().allForUpdate() : "");
    }

    private void addKeys(Query query, List<Parameters> elements) {
        if (key.size() == 1) {
            addLists(query, elements);
            return;
        }
        for (int i = 0; i < elements.size(); i++) {
            query.add(i == 0 ? "(" : " OR (");
            for (int k = 0; k < key.size(); k++) {
                query.add(k == 0 ? "" : " AND ")
                        .add(key.get(k).written() + " = ")
                        .add(key.get(k).value(), elements.get(i));
            }
            query.add(")");
        }
    }

    private void addLists(Query query, List<Parameters> elements) {
        // H2 searches a list of parameters from its beginning for each row, one of constants not.
        boolean constants = run.dialect().product() == Dialect.Product.H2;
        for (int i = 0; i < elements.size(); i++) {
            boolean begins = constants ? i == 0 : i % VALUES_PER_LIST == 0;
            String list = (i == 0 ? "" : ") OR ") + key.get(0).written() + " IN (";
            query.add(begins ? list : ", ");
            Object number = constants ? number(elements.get(i)) : null;
            if (number == null) {
                query.add(key.get(0).value(), elements.get(i));
            } else {
                query.add(number.toString());
            }
        }
        query.add(")");
    }

    /** What all the elements name where H2 finds the rows by one array, whose text it takes apart once for all batches; else null. */
    private @Nullable Object @Nullable [] numbers(List<Parameters> elements) {
        Stored stored = run.dialect().product() == Dialect.Product.H2 && key.size() == 1
                ? Stored.of(Dialect.Product.H2, images.table().key().get(0))
                : null;
        if (stored == null || !stored.isInteger()) {
            return null;
        }
        @Nullable Object[] numbers = new Object[elements.size()];
        for (int i = 0; i < numbers.length; i++) {
            Number number = number(elements.get(i));
            if (number == null) {
                return null;
            }
            numbers[i] = number.longValue();
        }
        // The rows are locked in this order: the same one for all, or two batches wait for each other.
        Arrays.sort(numbers);
        return numbers;
    }

    /** The whole number that is bound to a parameter alone; null of all else. */
    private @Nullable Number number(Parameters element) {
        Fragment value = key.get(0).value();
        Object bound = value.parameterCount() == 1 && value.text().strip().equals("?")
                ? element.plainValueOf(value.firstParameter() + 1)
                : null;
        return bound instanceof Integer || bound instanceof Long ? (Number) bound : null;
    }
}
