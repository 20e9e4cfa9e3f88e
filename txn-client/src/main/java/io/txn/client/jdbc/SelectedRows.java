package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Plan;
import io.txn.protocol.ErrorCode;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The rows that an UPDATE or DELETE means, where the database does not tell which ones it wrote: they are read and locked, the statement runs
 * restricted to their keys, and they may be read again. For one statement execution.
 */
final class SelectedRows {

    private static final Pattern OTHER_EACH_TIME = Pattern.compile(
            "(?i)\\b(NEXT\\s+VALUE|(NEXTVAL|SETVAL|LASTVAL|RAND|RANDOM|RANDOM_NORMAL|UUID|UUID_SHORT|UUIDV[47]|RANDOM_UUID"
                    + "|GEN_RANDOM_UUID|RANDOM_BYTES|CLOCK_TIMESTAMP|TIMEOFDAY|SYSDATE)\\s*\\()");

    private static final Pattern SUB_QUERY = Pattern.compile("(?i)\\b(SELECT|TABLE|VALUES)\\b");

    /** Drivers send the number of parameters as 16 bits. */
    private static final int MOST_PARAMETERS = 30_000;

    private final Plan.Selection selection;
    private final WriteRun run;
    private final List<Target> targets;
    private final Function<Target, List<Column>> columns;
    private @Nullable ForeseenRows foreseen;
    /** Where the condition reads what may be gone by the time that a row is come to: before anything went. */
    private @Nullable Savepoint beforeAny;
    /** Whether the statement comes to its rows as it would by itself. */
    private boolean inOrder;

    /** @param columns those of a target's images */
    SelectedRows(Plan.Selection selection, WriteRun run, List<Target> targets, Function<Target, List<Column>> columns) {
        this.selection = selection;
        this.run = run;
        this.targets = targets;
        this.columns = columns;
    }

    /** Has what the rows will be read along with them. */
    void foreseeing(@Nullable ForeseenRows rows) {
        foreseen = rows;
    }

    /** Reads and locks what the statement means. Nothing was changed yet, so whatever is wrong with it refuses the statement. */
    void readAndLock(Parameters parameters) throws SQLException {
        if (selection.several()
                && OTHER_EACH_TIME.matcher(WriteCapture.conditions(selection)).find()) {
            throw Refusals.notSupported(
                    "it takes a number of a sequence or of chance, or the time, to choose its rows, and has to choose them twice",
                    "select that first, and bind it");
        }
        Query query = new Query().add(selection.with(), parameters);
        query.add((selection.with().isEmpty() ? "" : " ") + "SELECT "
                + run.dialect()
                        .identity(
                                qualifier(targets.get(0).sources().get(0)),
                                targets.stream().map(Target::table).toArray(Table[]::new)));
        for (Target target : targets) {
            for (Plan.Source source : target.sources()) {
                query.add(TableImages.reads(columns.apply(target), qualifier(source)));
            }
        }
        if (foreseen != null) {
            foreseen.addTo(query, parameters);
        }
        String separator = " FROM ";
        for (Fragment from : selection.from()) {
            query.add(separator).add(from, parameters);
            separator = ", ";
        }
        if (!selection.where().isEmpty()) {
            query.add(" WHERE ").add(selection.where(), parameters);
        }
        // A limit on joined rows is another one than that on rows to be written.
        if (!selection.several() && !selection.tail().isEmpty()) {
            query.add(" ").add(selection.tail(), parameters);
        }
        query.add(lock()).read(run.connection(), run.scope(), this::keep);
        String incomplete = run.incomplete();
        if (incomplete != null) {
            throw Refusals.misplaced(
                    ErrorCode.CAPTURE_FAILED, "table", targets.get(0).table().lockName(), "reason", incomplete);
        }
        int parameterCount = 0;
        for (Target target : targets) {
            parameterCount += target.before().size()
                    * target.table().key().size()
                    * target.sources().size();
        }
        if (size() > run.options().maxRowsPerStatement() || parameterCount > MOST_PARAMETERS) {
            throw targets.get(0).images().tooManyRows();
        }
    }

    /**
     * What came of the statement depends on the order of its rows, and that on how the database finds them: it is not restricted. That it wrote others, too, which
     * came in between, has to be found afterwards.
     */
    void inOrder() {
        // Where chance chooses the rows, those that were read are written.
        inOrder = !OTHER_EACH_TIME.matcher(WriteCapture.conditions(selection)).find();
    }

    /** Reads and locks what the statement means, and all that follows it by a foreign key. */
    void readAndLock(Parameters parameters, Followers followers) throws SQLException {
        readAndLock(parameters);
        // There, what follows a row goes with it at once.
        if (followers.any()
                && run.dialect().product().isMySqlFamily()
                && SUB_QUERY.matcher(selection.where().text()).find()) {
            beforeAny = run.connection().setSavepoint();
        }
        Map<String, Followers.Own> own = new HashMap<>();
        for (Target target : targets) {
            own.put(
                    target.table().sqlName(),
                    new Followers.Own(columns.apply(target), target.before().values()));
        }
        followers.read(own);
    }

    private void keep(ResultSet row) throws SQLException {
        int first = 2;
        for (Target target : targets) {
            target.images().checkIdentity(row.getString(1));
            List<Column> read = columns.apply(target);
            for (int i = 0; i < target.sources().size(); i++) {
                List<Value> values = TableImages.values(row, read, first);
                List<Value> key = target.images().keyOf(read, values);
                // An outer join has found no row there.
                if (!key.contains(Value.NULL)) {
                    target.before().put(key, values);
                }
                first += read.size();
                if (foreseen != null) {
                    foreseen.keep(row, first, values); // of one target that is one source
                }
            }
        }
    }

    private String lock() {
        boolean one = selection.several() && run.dialect().product() == Dialect.Product.POSTGRESQL;
        boolean limited = !selection.several()
                && selection.tail().text().toUpperCase(Locale.ROOT).contains("LIMIT");
        return (limited ? " FOR UPDATE" : run.dialect().allForUpdate())
                + (one ? " OF " + targets.get(0).sources().get(0).row() : "");
    }

    /** What stands before a column of this source; nothing where no other table is read. */
    String qualifier(Plan.Source source) {
        return selection.several() ? source.row() + '.' : "";
    }

    /** Refuses a DELETE that passed over some of these rows for what it did itself to others: who refers to them was taken for gone. */
    void requireGone(Set<List<Value>> left) throws SQLException {
        if (beforeAny != null && !left.isEmpty()) {
            run.connection().rollback(beforeAny);
            run.unchanged();
            throw Refusals.notSupported(
                    "a row does not match any more when others have followed one that is deleted before it",
                    "select the keys first, and delete by them");
        }
    }

    /** How many rows were read. */
    int size() {
        int size = 0;
        for (Target target : targets) {
            size += target.before().size();
        }
        return size;
    }

    /**
     * The statement on exactly the rows that were read.
     *
     * @param head all before WHERE
     * @param condition a further one; may be empty
     */
    Query restricted(Query head, String condition, Parameters parameters) {
        boolean several = selection.several();
        head.add(" WHERE ");
        if (inOrder) {
            if (selection.where().isEmpty()) {
                head.add("TRUE");
            } else {
                head.add("(").add(selection.where(), parameters).add(")");
            }
            head.add(condition);
            return selection.tail().isEmpty() ? head : head.add(" ").add(selection.tail(), parameters);
        }
        // Locked rows keep matching, except that they may match other rows of a join, or what matched may follow
        // another row.
        if ((several || beforeAny != null) && !selection.where().isEmpty()) {
            head.add("(").add(selection.where(), parameters).add(") AND ");
        }
        String separator = "";
        for (Target target : targets) {
            for (Plan.Source source : target.sources()) {
                String qualifier = qualifier(source);
                boolean mySql = run.dialect().product().isMySqlFamily();
                // In what order MySQL carries out the assignments of a join depends on its plan. Inside a function the
                // keys
                // are no reason for another plan, and an outer join's row that is not there has none.
                head.add(separator + (several && mySql ? "IF(" : "("))
                        .addKeys(target.table().key(), target.keys(), qualifier)
                        .add(
                                several && mySql
                                        ? " OR " + qualifier
                                                + target.table().key().get(0).sqlName() + " IS NULL, 1, 0) = 1"
                                        : ")");
                separator = " AND ";
            }
        }
        head.add(condition);
        return selection.tail().isEmpty() ? head : head.add(" ").add(selection.tail(), parameters);
    }

    /** The rows that were read as they are now, by target and key; locks them where a plain read may show an older version. */
    Map<Target, Map<List<Value>, List<Value>>> readAgain() throws SQLException {
        Map<Target, Map<List<Value>, List<Value>>> found = new HashMap<>();
        targets.forEach(target -> found.put(target, new HashMap<>()));
        List<Part> parts = new ArrayList<>();
        int rows = 0;
        for (Target target : targets) {
            List<List<Value>> keys = target.keys();
            for (int from = 0; from < keys.size(); from += TableImages.KEYS_PER_QUERY) {
                Part part =
                        new Part(target, keys.subList(from, Math.min(from + TableImages.KEYS_PER_QUERY, keys.size())));
                if (rows + part.keys().size() > TableImages.KEYS_PER_QUERY) {
                    read(parts, found);
                    parts.clear();
                    rows = 0;
                }
                parts.add(part);
                rows += part.keys().size();
            }
        }
        read(parts, found);
        return found;
    }

    private record Part(Target target, List<List<Value>> keys) {}

    /** Rows of several tables by one query: each table has columns of its own, empty in the rows of the others. */
    private void read(List<Part> parts, Map<Target, Map<List<Value>, List<Value>>> found) throws SQLException {
        if (parts.isEmpty()) {
            return;
        }
        Query query = new Query();
        for (Part part : parts) {
            query.add(parts.size() == 1 ? "" : part == parts.get(0) ? "(" : ") UNION ALL (")
                    .add("SELECT " + targets.indexOf(part.target()));
            for (Target target : targets) {
                List<Column> read = columns.apply(target);
                query.add(
                        target == part.target()
                                ? TableImages.reads(read, "")
                                : String.join("", Collections.nCopies(read.size(), ", NULL")));
            }
            query.add(" FROM " + part.target().table().sqlName() + " WHERE ")
                    .addKeys(part.target().table().key(), part.keys())
                    .add(run.dialect().afterImageLocks() ? run.dialect().allForUpdate() : "");
        }
        query.add(parts.size() == 1 ? "" : ")" + run.dialect().allRows()).read(run.connection(), run.scope(), row -> {
            int first = 2;
            for (Target before : targets.subList(0, row.getInt(1))) {
                first += columns.apply(before).size();
            }
            Target target = targets.get(row.getInt(1));
            List<Column> read = columns.apply(target);
            List<Value> values = TableImages.values(row, read, first);
            known(found, target).put(target.images().keyOf(read, values), values);
        });
    }

    /** The value of a map that holds it. */
    static <K, V> V known(Map<K, V> map, K key) {
        return Objects.requireNonNull(map.get(key));
    }
}
