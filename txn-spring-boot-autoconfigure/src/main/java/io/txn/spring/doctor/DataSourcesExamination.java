package io.txn.spring.doctor;

import io.txn.client.jdbc.AtDataSource;
import io.txn.client.jdbc.DatabaseFindings;
import io.txn.protocol.ErrorCode;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Which data sources take part and why others do not; and, of each database once, undo table, rights and tables without keys. */
public final class DataSourcesExamination implements Examination {

    private static final int MOST_NAMES = 10;

    private final SeenDataSources seen;
    private final Supplier<Map<String, AtDataSource>> wrapped;
    private final Set<String> setUpForXa;
    private final Supplier<Set<String>> wantingXa;

    /**
     * @param wrapped those that take part, by name
     * @param setUpForXa the names of those that are to work in XA mode
     * @param wantingXa methods that have data sources prepare their work which are not set up so
     */
    public DataSourcesExamination(
            SeenDataSources seen,
            Supplier<Map<String, AtDataSource>> wrapped,
            Set<String> setUpForXa,
            Supplier<Set<String>> wantingXa) {
        this.setUpForXa = Set.copyOf(setUpForXa);
        this.seen = seen;
        this.wrapped = wrapped;
        this.wantingXa = wantingXa;
    }

    @Override
    public String about() {
        return "data source";
    }

    @Override
    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        Set<String> looked = new HashSet<>();
        Map<String, AtDataSource> sources = wrapped.get();
        for (SeenDataSource source : seen.seen()) {
            AtDataSource at = sources.get(source.name());
            switch (source.fate()) {
                case WRAPPED -> {
                    findings.add(Finding.well(source.name(), source.why() + " as " + source.resource()));
                    if (at != null && looked.add(at.resourceId())) {
                        findings.addAll(database(source.name(), at));
                    }
                }
                case ABOVE, EXCLUDED ->
                    findings.add(Finding.well(
                            source.name(), "not wrapped: " + source.why() + " (" + simple(source.type()) + ")"));
                case UNCOVERED ->
                    findings.add(Finding.problem(
                            ErrorCode.DATA_SOURCE_NOT_WRAPPED,
                            source.name(),
                            source.why() + " (" + source.type() + ")"));
            }
        }
        Set<String> names =
                seen.seen().stream().map(SeenDataSource::name).collect(Collectors.toCollection(TreeSet::new));
        for (String name : new TreeSet<>(setUpForXa)) {
            if (!names.contains(name)) {
                findings.add(Finding.problem(
                        ErrorCode.BAD_CONFIGURATION,
                        "txn.jdbc.xa",
                        "no data source is called " + name + ", so none works in XA mode for it; there are " + names));
            }
        }
        return findings.isEmpty() ? List.of(Finding.well("", "none")) : findings;
    }

    private static String simple(String type) {
        return type.substring(type.lastIndexOf('.') + 1);
    }

    private List<Finding> database(String name, AtDataSource source) {
        List<Finding> findings = new ArrayList<>();
        DatabaseFindings database;
        try {
            database = source.look();
        } catch (SQLException e) {
            return List.of(Finding.problem(
                    ErrorCode.EXAMINATION_FAILED, name, "the database could not be asked: " + e.getMessage()));
        }
        if (source.isXa()) {
            // Nothing is captured or undone; whether the server can prepare transactions is checked at the start.
            return List.of(
                    database.losesCommits()
                            ? Finding.problem(ErrorCode.H2_NOT_DURABLE, name, database.resourceId())
                            : Finding.well(name, "works in XA mode"));
        }
        Set<String> methods = wantingXa.get();
        String impossible = methods.isEmpty() ? null : source.xaProblem();
        if (impossible != null) {
            findings.add(Finding.problem(
                    ErrorCode.XA_NOT_POSSIBLE, name, impossible + "; wanted by " + String.join(", ", methods)));
        }
        String problem = database.undoTableProblem();
        findings.add(
                problem == null
                        ? Finding.well(
                                name,
                                "undo table " + database.undoTable() + " is as it should be; rows are known as "
                                        + database.rowsName())
                        : Finding.problem(ErrorCode.NO_UNDO_TABLE, name, problem));
        if (!database.columnsLeftToTriggers().isEmpty()) {
            findings.add(Finding.well(
                    name,
                    "a rollback leaves to triggers, and does not compare: "
                            + String.join(", ", new TreeSet<>(database.columnsLeftToTriggers()))));
        }
        for (String hidden : database.hidden()) {
            findings.add(Finding.problem(ErrorCode.CATALOG_HIDDEN, name, hidden));
        }
        if (database.losesCommits()) {
            findings.add(Finding.problem(ErrorCode.H2_NOT_DURABLE, name, database.resourceId()));
        }
        List<String> keyless = database.tablesWithoutKey();
        if (!keyless.isEmpty()) {
            String names = String.join(", ", keyless.subList(0, Math.min(MOST_NAMES, keyless.size())));
            String more = keyless.size() > MOST_NAMES ? " and " + (keyless.size() - MOST_NAMES) + " more" : "";
            findings.add(Finding.problem(
                    ErrorCode.TABLE_WITHOUT_KEY, name, "global transactions cannot write to " + names + more));
        }
        return findings;
    }
}
