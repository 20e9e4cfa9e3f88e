package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The corpus of statements and situations, on every database: nothing silently wrong, nothing stuck, nothing loud without a reason, nothing that an
 * application sees differently. {@code -Dtxn.corpus=<regular expression>} runs only the cases in whose {@code target:file/name[variant]} it is found. The short
 * form takes a part of the variants, and leaves the page to the wide one.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CorpusIT {

    private static final @Nullable String ONLY = System.getProperty("txn.corpus");

    /** The page is of all variants but those of the long form. */
    private static final boolean FOR_THE_PAGE =
            Boolean.getBoolean("txn.test.wide") || Boolean.getBoolean(GeneratedDoc.UPDATE);

    /** Of the variants of a row, the short form runs one in so many, and at least one. */
    private static final int ONE_OF = 4;

    private final ExecutorService threads =
            Executors.newFixedThreadPool(Math.max(2, Runtime.getRuntime().availableProcessors()));

    private final Map<Target, List<Future<List<Result>>>> runs = new EnumMap<>(Target.class);

    @BeforeAll
    void startWithTheLongest() {
        for (Target target : List.of(Target.MARIADB, Target.POSTGRES, Target.POSTGRES15, Target.MYSQL, Target.H2)) {
            runs.put(target, start(target));
        }
    }

    @AfterAll
    void end() {
        threads.shutdownNow();
    }

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
        assumeTrue(FOR_THE_PAGE && ONLY == null, "only some cases are run");
        Report report = new Report(Target.values());
        for (Target target : Target.values()) {
            Set<String> onThePage = CorpusFile.all().stream()
                    .flatMap(file -> file.cases(target, false).stream())
                    .map(CorpusCase::name)
                    .collect(Collectors.toSet());
            results(target).stream()
                    .filter(result -> onThePage.contains(result.what().name()))
                    .forEach(report::add);
        }
        GeneratedDoc doc = GeneratedDoc.of("at-statements.md");
        doc.checkSection("totals", report.totals());
        doc.checkSection("refusals", report.refusals());
        doc.checkSection("statements", report.statements());
    }

    /** What came out of the cases of {@code target}, in the order of the files; all targets run from the first question on. */
    private List<Result> results(Target target) {
        List<Result> results = new ArrayList<>();
        for (Future<List<Result>> file : runs.getOrDefault(target, List.of())) {
            try {
                results.addAll(file.get());
            } catch (InterruptedException | ExecutionException e) {
                throw new IllegalStateException(target + " was not run to its end", e);
            }
        }
        return results;
    }

    /** A file is a task with a database of its own: most of its time it waits for the server, which others can use. */
    private List<Future<List<Result>>> start(Target target) {
        return CorpusFile.all().stream()
                .map(file -> threads.submit(() -> run(target, file)))
                .toList();
    }

    private static List<Result> run(Target target, CorpusFile file) throws SQLException {
        Pattern only = Pattern.compile(ONLY == null ? "" : ONLY);
        List<Result> results = new ArrayList<>();
        List<CorpusCase> all = file.cases(target, Boolean.getBoolean("txn.test.full"));
        List<CorpusCase> cases = (FOR_THE_PAGE || ONLY != null ? all : part(all))
                .stream().filter(one -> only.matcher(one.toString()).find()).toList();
        if (cases.isEmpty()) {
            return results;
        }
        long begun = System.nanoTime();
        TestDatabase database = database(target);
        try (CorpusRunner runner =
                new CorpusRunner(target, database.jdbcUrl(), database.user(), database.password(), AtSubject::new)) {
            for (CorpusCase one : cases) {
                Result result = runner.run(one);
                results.add(result);
                if (!only.pattern().isEmpty()) {
                    System.out.println(result);
                }
            }
        }
        System.out.println(target + ", " + cases.get(0).group() + ": " + cases.size() + " cases in "
                + Duration.ofNanos(System.nanoTime() - begun));
        return results;
    }

    /** The same ones each time; of two rows not the same ones. */
    private static List<CorpusCase> part(List<CorpusCase> all) {
        Map<String, List<CorpusCase>> rows =
                all.stream().collect(Collectors.groupingBy(CorpusCase::row, LinkedHashMap::new, Collectors.toList()));
        List<CorpusCase> part = new ArrayList<>();
        rows.forEach((row, variants) -> {
            int first = Math.floorMod(row.hashCode(), Math.min(ONE_OF, variants.size()));
            for (int i = first; i < variants.size(); i += ONE_OF) {
                part.add(variants.get(i));
            }
        });
        return part;
    }

    private static TestDatabase database(Target target) {
        return switch (target) {
            case H2 -> TestDatabases.h2();
            case MARIADB -> TestDatabases.mariaDb();
            case MYSQL -> TestDatabases.mariaDb().withMySqlDriver();
            case POSTGRES -> TestDatabases.postgres();
            case POSTGRES15 -> TestDatabases.oldestPostgres();
        };
    }
}
