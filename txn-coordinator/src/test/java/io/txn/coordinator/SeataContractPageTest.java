package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The page that says which test shows which row of Seata's contract names tests that exist. Whether a test shows its row, people have to judge; that it is
 * there, and runs in the form that the page says, this does.
 */
class SeataContractPageTest {

    private static final String LONG_FORM = "@EnabledIfSystemProperty";
    private static final Pattern METHOD = Pattern.compile("`(\\w+)\\.(?!txt`)(\\w+)`( \\(long\\))?");
    private static final Pattern SCENARIO = Pattern.compile("`([\\w-]+\\.txt)`");

    private final Path root = projectRoot();

    private static Path projectRoot() {
        Path root = Path.of("").toAbsolutePath();
        for (Path up = root.getParent(); up != null && Files.exists(up.resolve("pom.xml")); up = up.getParent()) {
            root = up;
        }
        return root;
    }

    /** A row of a table: what Seata does, what happens here, what shows it. */
    private record Row(String text, String shownBy) {}

    private List<Row> rows() throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(root.resolve("docs/seata-contract.md"))) {
            if (line.startsWith("|") && !line.startsWith("|---") && !line.startsWith("| Seata |")) {
                String[] cells = line.split("\\|", -1);
                assertThat(cells).as(line).hasSize(5);
                rows.add(new Row(line, cells[3]));
            }
        }
        return rows;
    }

    /** The sources of all test classes of the project, by simple name. */
    private Map<String, List<Path>> testClasses() throws IOException {
        Map<String, List<Path>> classes = new HashMap<>();
        List<Path> modules = new ArrayList<>();
        try (Stream<Path> poms = Files.find(root, 4, (path, attributes) -> path.endsWith("pom.xml"))) {
            poms.map(Path::getParent)
                    .map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .forEach(modules::add);
        }
        for (Path module : modules) {
            try (Stream<Path> sources = Files.walk(module)) {
                sources.map(Path::getFileName)
                        .map(Path::toString)
                        .filter(name -> name.endsWith(".java"))
                        .forEach(name -> classes.computeIfAbsent(
                                        name.substring(0, name.length() - ".java".length()), key -> new ArrayList<>())
                                .add(module));
            }
        }
        return classes;
    }

    /** Of classes with one name that of the coordinator is meant, else the one that has the method. */
    private String source(List<Path> modules, String type, String method) {
        Path own = root.resolve("txn-coordinator/src/test/java");
        if (modules.contains(own)) {
            return source(own, type);
        }
        List<String> sources = modules.stream()
                .map(module -> source(module, type))
                .filter(source -> modules.size() == 1 || source.contains(" void " + method + "("))
                .toList();
        assertThat(sources).as("%s with %s in %s", type, method, modules).hasSize(1);
        return sources.get(0);
    }

    private static String source(Path module, String type) {
        try (Stream<Path> found = Files.find(module, 20, (path, a) -> path.endsWith(type + ".java"))) {
            return Files.readString(found.findFirst().orElseThrow());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What stands between the method before and this one: its annotations. */
    private static String annotations(String source, String method) {
        Matcher declared = Pattern.compile("\n    void " + method + "\\(").matcher(source);
        assertThat(declared.find())
                .as("%s, which docs/seata-contract.md names", method)
                .isTrue();
        String before = source.substring(0, declared.start());
        return before.substring(Math.max(before.lastIndexOf("\n\n"), before.lastIndexOf("\n    }\n")));
    }

    private static void assertIsTest(String source, String type, String method, boolean longForm) {
        String annotations = annotations(source, method);
        assertThat(annotations)
                .as("%s.%s is a test", type, method)
                .containsPattern("@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b")
                .doesNotContain("@Disabled");
        String head = source.substring(0, source.indexOf("class " + type));
        assertThat(annotations.contains(LONG_FORM) || head.contains("\n" + LONG_FORM))
                .as("%s.%s runs in the long form only", type, method)
                .isEqualTo(longForm);
    }

    @Test
    void everyRowNamesTestsThatExist() throws IOException {
        Map<String, List<Path>> classes = testClasses();
        assertThat(rows()).hasSizeGreaterThan(50);
        for (Row row : rows()) {
            int named = 0;
            Matcher method = METHOD.matcher(row.shownBy());
            while (method.find()) {
                named++;
                String type = method.group(1);
                assertThat(classes).as(row.text()).containsKey(type);
                String source = source(classes.get(type), type, method.group(2));
                assertIsTest(source, type, method.group(2), method.group(3) != null);
            }
            Matcher scenario = SCENARIO.matcher(row.shownBy());
            while (scenario.find()) {
                named++;
                assertThat(root.resolve("txn-coordinator/src/test/resources/scenarios/" + scenario.group(1)))
                        .isRegularFile();
            }
            assertThat(named).as(row.text()).isPositive();
            assertThat(row.shownBy().chars().filter(c -> c == '`').count())
                    .as("everything in it is a test: " + row.text())
                    .isEqualTo(2L * named);
        }
    }
}
