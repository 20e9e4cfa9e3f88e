package io.txn.client.jdbc;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Dialect;
import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Trigger;
import io.txn.client.jdbc.dialect.Value;
import io.txn.client.jdbc.sql.Fragment;
import io.txn.client.jdbc.sql.Mentions;
import io.txn.client.jdbc.sql.Plan;
import io.txn.protocol.ErrorCode;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The rows that an UPDATE or DELETE means, where the database does not tell which ones it wrote: they are read and locked, the statement runs
 * restricted to their keys, and they may be read again. For one statement execution.
 */
final class SelectedRows {

    /** MySQL forgets the earlier savepoint of a name: so there is one of them at most, and none need be released. */
    private static final String BEFORE_ANY = "txn_before_any";

    /** Warnings of every statement with a word that will go some day, which are no more than that to a write: MySQL's of syntax, of character sets and of their collations. */
    private static final Set<Integer> OF_OLD_WORDS = Set.of(1287, 1681, 3719, 3720, 3778);

    private static final Pattern LONG = Pattern.compile("(?i)TEXT|BLOB|JSON");

    private static final Pattern SUB_QUERY = Pattern.compile("(?i)\\b(SELECT|TABLE|VALUES)\\b");

    /** Words of queries, and of what depends on the rows that were computed before without a parenthesis behind it. */
    private static final Set<String> UNSTEADY =
            Set.of("select", "table", "values", "nextval", "currval", "rownum", "sysdate");

    /** Words before a parenthesis that are no call, or one of a function that depends on nothing but its arguments and the time of the statement. */
    private static final Set<String> STEADY =
            Set.of(("and or not xor in on as is any all like between case when then else if interval div mod"
                            + " abs ceil ceiling floor round truncate trunc sign power pow sqrt exp ln log greatest least coalesce ifnull nullif nvl"
                            + " isnull cast convert concat concat_ws upper ucase lower lcase trim ltrim rtrim lpad rpad left right substring substr"
                            + " substring_index replace repeat reverse length char_length octet_length character_length locate position instr hex unhex"
                            + " md5 sha1 sha2 crc32 format bin char ascii now current_timestamp current_date current_time curdate curtime localtime"
                            + " localtimestamp utc_timestamp utc_date date_add date_sub adddate subdate dateadd datediff timestampdiff timestampadd date"
                            + " time timestamp year month day hour minute second date_format str_to_date to_char to_date extract from_unixtime"
                            + " unix_timestamp last_day date_trunc json_extract json_value json_set json_unquote regexp_replace regexp_like decimal"
                            + " numeric varchar binary varbinary signed unsigned field elt")
                    .split(" "));

    /** H2 compares a list of keys with a row one by one: with more, it goes by the keys. */
    private static final int MOST_ONE_BY_ONE = 1_000;

    /** Drivers send the number of parameters as 16 bits. */
    private static final int MOST_PARAMETERS = 30_000;

    private final Plan.Selection selection;
    private final WriteRun run;
    private final List<Target> targets;
    private final Function<Target, List<Column>> columns;
    private @Nullable ForeseenRows foreseen;
    /** Where the condition reads what may be gone by the time that a row is come to: before anything went. */
    private @Nullable Savepoint beforeAny;

    private boolean orderMatters;
    /** Whether it is to come to its rows in the order in which it would if their keys were not named. */
    private boolean inOrder;

    private boolean beyondLimit;
    private boolean asItIs;

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

    /** What the statement does depends on the order in which it comes to its rows: that is to be the one that it would take by itself, as far as its condition may be asked twice. */
    void keepOrder() {
        orderMatters = true;
    }

    private boolean mayKeepOrder() throws SQLException {
        return orderMatters
                && size() > 1
                && !selection.several()
                && isSteady(selection.where().text(), run)
                && !(run.dialect().product().isMySqlFamily()
                        && !selection.where().isEmpty()
                        && run.mayBeOther(WriteCapture.conditions(selection)) != null);
    }

    /**
     * What comes of the statement depends on the order of its rows, and that on how the database finds them: it is not restricted, unless chance chooses its rows.
     * That it wrote others, too, which came in between, has to be found afterwards: where the order decides about less, {@link #keepOrder} is for that reason the better way,
     * but it may not ask a query twice, and gives up with many rows.
     */
    void leaveAsItIs() throws SQLException {
        asItIs = run.mayBeOther(WriteCapture.conditions(selection)) == null;
    }

    /** The statement may pass over rows that it means, and go on to others. */
    void readBeyondLimit() {
        beyondLimit = true;
    }

    static boolean holdsQuery(String text) {
        return SUB_QUERY.matcher(text).find();
    }

    /** Whether an expression comes to the same whichever rows it was computed for before, and if it is computed again; in doubt not. */
    static boolean isSteady(String expression, WriteRun run) {
        Mentions mentions = run.mentions(expression);
        return mentions.understood()
                && STEADY.containsAll(mentions.called())
                && Collections.disjoint(mentions.names(), UNSTEADY)
                && !(mentions.names().containsAll(Set.of("value", "for"))
                        && !Collections.disjoint(mentions.names(), Set.of("next", "previous")))
                && !(expression.contains(":=") && mentions.symbols().stream().anyMatch(s -> s.contains("@")));
    }

    /** Reads and locks what the statement means. Nothing was changed yet, so whatever is wrong with it refuses the statement. */
    void readAndLock(Parameters parameters) throws SQLException {
        if (selection.several()) {
            requireSameTwice();
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
        if (limited() && run.dialect().product().isMySqlFamily() && mayReadAll()) {
            query.add(everyColumn());
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
        if (!beyondLimit && !selection.several() && !selection.tail().isEmpty()) {
            query.add(" ").add(selection.tail(), parameters);
        }
        SQLWarning warnings = query.add(lock()).read(run.connection(), run.scope(), () -> {}, this::keep);
        inOrder = mayKeepOrder();
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
        if (run.dialect().product().isMySqlFamily() && mayFail(warnings)) {
            rehearse(parameters);
        }
    }

    private static boolean mayFail(@Nullable SQLWarning first) {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (!OF_OLD_WORDS.contains(warning.getErrorCode())) {
                return true;
            }
        }
        return false;
    }

    /**
     * What is a warning of a query ({@code code = 5}, where {@code code} is a text that is no number) may be an error of a write: then the statement fails, as it would by itself. Else it
     * is taken back, to be run on the rows that were read.
     */
    private void rehearse(Parameters parameters) throws SQLException {
        if (selection.statement().text().contains(":=")) {
            return; // what it sets would be set twice
        }
        Savepoint before = run.connection().setSavepoint();
        try {
            new Query().add(selection.statement(), parameters).use(run.connection(), run.scope(), (statement, sql) -> {
                boolean returnsRows =
                        statement instanceof PreparedStatement prepared ? prepared.execute() : statement.execute(sql);
                run.changed();
                return returnsRows;
            });
        } catch (SQLException e) {
            run.takeBack(before, e);
            throw e;
        }
        run.takeBack(before, new SQLException("what was tried before the statement could not be taken back"));
    }

    /** The condition is looked at when the rows are read, and again with the statement. */
    private void requireSameTwice() throws SQLException {
        String other = run.mayBeOther(WriteCapture.conditions(selection));
        if (other != null) {
            throw Refusals.notSupported(
                    "it has to choose its rows twice, and " + other, "select that first, and bind it");
        }
    }

    /** Reads and locks what the statement means, and all that follows it by a foreign key. */
    void readAndLock(Parameters parameters, Followers followers) throws SQLException {
        // There, what follows a row goes with it at once.
        boolean goesAtOnce = followers.any() && run.dialect().product().isMySqlFamily();
        boolean query = goesAtOnce && holdsQuery(selection.where().text());
        if (query) {
            requireSameTwice();
        }
        readAndLock(parameters);
        if (query || goesAtOnce && inOrder && followers.setOwn()) {
            beforeAny = run.connection().setSavepoint(BEFORE_ANY);
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

    private boolean limited() {
        return !selection.several()
                && selection.tail().text().toUpperCase(Locale.ROOT).contains("LIMIT");
    }

    /** An UPDATE asks for the right to read no more columns than it names. */
    private boolean mayReadAll() {
        return !targets.get(0)
                .table()
                .lacking()
                .getOrDefault(Trigger.Event.INSERT, "")
                .contains("SELECT");
    }

    /** So that the rows are looked for where the statement looks for them, and not in an index that happens to hold all that is read. */
    private String everyColumn() {
        return targets.get(0).table().columns().stream()
                // No index holds the whole of a long one.
                .filter(column -> !LONG.matcher(column.type()).find())
                .map(column -> "OCTET_LENGTH(" + column.sqlName() + ')')
                .collect(Collectors.joining(", ", ", COALESCE(", ", 0)"));
    }

    private String lock() {
        boolean one = selection.several() && run.dialect().product() == Dialect.Product.POSTGRESQL;
        return (limited() && !beyondLimit ? " FOR UPDATE" : run.dialect().allForUpdate())
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

    private boolean ordered() {
        return inOrder && (run.dialect().product() != Dialect.Product.H2 || size() <= MOST_ONE_BY_ONE);
    }

    /** Whether the statement looks at its condition again, and may pass over rows that were read. */
    boolean mayPassOver() {
        return selection.several() || beforeAny != null || asItIs || ordered();
    }

    /**
     * The statement on exactly the rows that were read.
     *
     * @param head all before WHERE
     * @param condition a further one; may be empty
     */
    Query restricted(Query head, String condition, Parameters parameters) {
        boolean several = selection.several();
        boolean mySql = run.dialect().product().isMySqlFamily();
        boolean ordered = ordered();
        head.add(" WHERE ");
        if (asItIs) {
            head.add(selection.where().isEmpty() ? "TRUE" : "(").add(selection.where(), parameters);
            head.add(selection.where().isEmpty() ? "" : ")").add(condition);
            return selection.tail().isEmpty() ? head : head.add(" ").add(selection.tail(), parameters);
        }
        // Locked rows keep matching, except that they may match other rows of a join, or what matched may follow
        // another row.
        if ((several || beforeAny != null || ordered) && !selection.where().isEmpty()) {
            head.add("(").add(selection.where(), parameters).add(") AND ");
        }
        // In what order MySQL carries out the assignments of a join depends on its plan, and in what order any database
        // comes to the rows. Inside a function the keys are no reason for another plan.
        boolean inside = ordered || mySql && (several || beforeAny != null);
        String separator = "";
        for (Target target : targets) {
            for (Plan.Source source : target.sources()) {
                String qualifier = qualifier(source);
                List<Column> key = target.table().key();
                head.add(separator);
                if (inside) {
                    head.add(mySql ? "IF(" : "CASE WHEN ")
                            .addSearchedKeys(key, target.keys(), qualifier, run.dialect())
                            // An outer join's row that is not there has none.
                            .add(several ? " OR " + qualifier + key.get(0).sqlName() + " IS NULL" : "")
                            .add(mySql ? ", 1, 0) = 1" : " THEN 1 ELSE 0 END = 1");
                } else {
                    head.add("(").addKeys(key, target.keys(), qualifier).add(")");
                }
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
