package io.txn.client.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.client.jdbc.corpus.Outcome;
import io.txn.client.jdbc.corpus.PeerMain;
import io.txn.client.jdbc.corpus.Target;
import io.txn.test.DatabaseKind;
import io.txn.test.JavaProcess;
import io.txn.test.SeataClient;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same cases through the real Seata client: a corpus on which that one is hardly ever wrong would be too easy. Prints how it fares, a line for each
 * file; what it did with each case is in {@code target/corpus-seata-<target>.txt}.
 */
@EnabledIfSystemProperty(named = "txn.test.full", matches = "true")
class CorpusPeerIT {

    @TempDir
    Path home;

    @Test
    void theCasesAreHardEnoughOnMariaDb() throws Exception {
        faresBadly(Target.MARIADB, TestDatabases.mariaDb().withMySqlDriver());
    }

    @Test
    void theCasesAreHardEnoughOnPostgres() throws Exception {
        faresBadly(Target.POSTGRES, TestDatabases.postgres());
    }

    private void faresBadly(Target target, TestDatabase database) throws Exception {
        database.execute(
                SeataClient.undoTable(target == Target.POSTGRES ? DatabaseKind.POSTGRESQL : DatabaseKind.MARIADB));
        Path results = home.resolve("results");
        Path ours = Path.of(PeerMain.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        Path classPath = Files.writeString(
                home.resolve("class-path"),
                "-cp\n\"" + SeataClient.classPath(SeataClient.Version.V2_6) + File.pathSeparator + ours + "\"\n");
        try (JavaProcess process = JavaProcess.mainClass(PeerMain.class)
                .classPath("")
                .jvm("@" + classPath, "-Xmx512m", "-Duser.home=" + home)
                .args(
                        target.name(),
                        database.jdbcUrl(),
                        database.user(),
                        database.password(),
                        "io.txn.test.seata.SeataCorpus",
                        results.toString())
                .directory(home)
                .start(home.resolve("peer.log"))) {
            boolean ended = process.waitFor(Duration.ofMinutes(20));
            String log = process.output();
            assertThat(ended)
                    .as(log.substring(Math.max(0, log.length() - 4000)))
                    .isTrue();
        }
        List<String> lines = Files.readAllLines(results);
        Files.copy(
                results,
                ours.resolveSibling("corpus-seata-" + target.word() + ".txt"),
                StandardCopyOption.REPLACE_EXISTING);
        assertThat(lines).last().isEqualTo("end");
        Map<Outcome, Integer> all = new EnumMap<>(Outcome.class);
        Map<String, Map<Outcome, Integer>> byFile = new TreeMap<>();
        for (String line : lines.subList(0, lines.size() - 1)) {
            String[] parts = line.split("\t", -1);
            Outcome outcome = Outcome.valueOf(parts[0]);
            if (outcome != Outcome.INVALID) {
                all.merge(outcome, 1, Integer::sum);
                byFile.computeIfAbsent(
                                parts[1].substring(0, parts[1].indexOf('/')), file -> new EnumMap<>(Outcome.class))
                        .merge(outcome, 1, Integer::sum);
            }
        }
        System.out.println("Seata on " + target.title() + ": " + all);
        System.out.println(row(target, all));
        byFile.forEach((file, outcomes) -> System.out.println("  " + file + ": " + outcomes));
        assertThat(all.getOrDefault(Outcome.WRONG, 0)).isGreaterThan(30);
        assertThat(all.getOrDefault(Outcome.STUCK, 0)).isPositive();
    }

    /** The row of the table in {@code docs/at-statements.md}. */
    private static String row(Target target, Map<Outcome, Integer> of) {
        int cases = of.values().stream().mapToInt(Integer::intValue).sum();
        StringBuilder row = new StringBuilder("| " + target.title() + " | " + cases);
        for (Outcome outcome : List.of(
                Outcome.EXACT, Outcome.REFUSED, Outcome.WRONG, Outcome.STUCK, Outcome.LOUD, Outcome.DIFFERENT)) {
            int count = of.getOrDefault(outcome, 0);
            row.append(" | ").append(count);
            if (outcome == Outcome.EXACT) {
                row.append(" (").append(Math.round(100.0 * count / cases)).append(" %)");
            }
        }
        return row.append(" |").toString();
    }
}
