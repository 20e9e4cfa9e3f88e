package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.corpus.CorpusCase;
import io.txn.client.jdbc.corpus.CorpusFile;
import io.txn.client.jdbc.corpus.CorpusRunner;
import io.txn.client.jdbc.corpus.Report;
import io.txn.client.jdbc.corpus.Result;
import io.txn.client.jdbc.corpus.Target;
import io.txn.test.GeneratedDoc;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The corpus of statements and situations, on every database: nothing silently wrong, nothing stuck, nothing loud without a reason, nothing that an
 * application sees differently. {@code -Dtxn.corpus=<regular expression>} runs only the cases in whose {@code target:file/name[variant]} it is found.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CorpusIT {

    private final Map<Target, List<Result>> results = new EnumMap<>(Target.class);

    @ParameterizedTest
    @EnumSource
    void everyCaseIsExactOrRefused(Target target) {
        List<Result> of = results(target);
        Report report = new Report(target);
        of.forEach(report::add);
        System.out.println(target + ": " + report.summary());
        assertThat(of.stream().filter(Result::fails).map(Result::toString)).isEmpty();
    }

    /** Runs last or first: what was run already is not run again. */
    @Test
    void theTableSaysWhatComesOut() {
        if (System.getProperty("txn.corpus") != null) {
            return;
        }
        Report report = new Report(Target.values());
        for (Target target : Target.values()) {
            Set<String> inShortForm = CorpusFile.all().stream()
                    .flatMap(file -> file.cases(target, false).stream())
                    .map(CorpusCase::name)
                    .collect(Collectors.toSet());
            results(target).stream()
                    .filter(result -> inShortForm.contains(result.what().name()))
                    .forEach(report::add);
        }
        GeneratedDoc doc = GeneratedDoc.of("at-statements.md");
        doc.checkSection("totals", report.totals());
        doc.checkSection("statements", report.statements());
    }

    private List<Result> results(Target target) {
        return results.computeIfAbsent(target, CorpusIT::run);
    }

    private static List<Result> run(Target target) {
        String only = System.getProperty("txn.corpus");
        List<Result> results = new ArrayList<>();
        long begun = System.nanoTime();
        TestDatabase database = database(target);
        try (CorpusRunner runner =
                new CorpusRunner(target, database.jdbcUrl(), database.user(), database.password(), AtSubject::new)) {
            for (CorpusFile file : CorpusFile.all()) {
                for (CorpusCase one : file.cases(target, Boolean.getBoolean("txn.test.full"))) {
                    if (only == null
                            || Pattern.compile(only).matcher(one.toString()).find()) {
                        Result result = runner.run(one);
                        results.add(result);
                        if (only != null) {
                            System.out.println(result);
                        }
                    }
                }
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
        System.out.println(target + ": " + Duration.ofNanos(System.nanoTime() - begun));
        return results;
    }

    private static TestDatabase database(Target target) {
        return switch (target) {
            case H2 -> TestDatabases.h2();
            case MARIADB -> TestDatabases.mariaDb();
            case MYSQL -> TestDatabases.mariaDb().withMySqlDriver();
            case POSTGRES -> TestDatabases.postgres();
        };
    }
}
