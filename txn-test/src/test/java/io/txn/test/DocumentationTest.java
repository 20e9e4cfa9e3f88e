package io.txn.test;

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

/** What scripts and newcomers rely on in the pages: the two commands, the links, and that both languages say the same. */
class DocumentationTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** A class of tests, or of those that several databases share, by its name, alone or with a method; not the patterns of names that pages about testing give. */
    private static final Pattern TEST =
            Pattern.compile("`((?!Xxx)[A-Z]\\w*[a-z0-9](?:Test|IT|Contract))(?:\\.(\\w+))?`");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(?:#[^)]*)?\\)");

    @Test
    void eachCommandOfTheReadmeStandsAloneUnderItsHeading() {
        assertThat(commandUnder("README.md", "Run it")).isEqualTo("samples/demo/run");
        assertThat(commandUnder("README.md", "Test it")).isEqualTo("mvn verify");
        assertThat(ROOT.resolve("samples/demo/run")).isExecutable();
    }

    /** With what the short form leaves to it, and without anything less. */
    @Test
    void continuousIntegrationRunsTheReadmesTestCommand() {
        assertThat(read(ROOT.resolve(".ci/run")).lines().filter(line -> line.startsWith("mvn ")))
                .singleElement()
                .satisfies(line -> assertThat(List.of(line.split(" ")))
                        .contains("verify", "-Dtxn.test.wide=true")
                        .allMatch(word ->
                                word.matches("mvn|verify|--batch-mode|--no-transfer-progress|-Dtxn.test.wide=true")));
    }

    @Test
    void bothReadmesHoldTheSameCommandsAndLinks() {
        assertThat(commandUnder("README.zh-CN.md", "运行")).isEqualTo(commandUnder("README.md", "Run it"));
        assertThat(commandUnder("README.zh-CN.md", "测试")).isEqualTo(commandUnder("README.md", "Test it"));
        assertThat(links(ROOT.resolve("README.zh-CN.md")).stream().filter(link -> !link.startsWith("README")))
                .containsExactlyInAnyOrderElementsOf(links(ROOT.resolve("README.md")).stream()
                        .filter(link -> !link.startsWith("README"))
                        .toList());
    }

    @Test
    void everyLinkLeadsToAFile() throws IOException {
        List<String> dead = new ArrayList<>();
        List<Path> pages = pages();
        for (Path page : pages) {
            for (String link : links(page)) {
                if (!link.contains("://") && !Files.exists(page.resolveSibling(link))) {
                    dead.add(ROOT.relativize(page) + " -> " + link);
                }
            }
        }
        assertThat(pages).hasSizeGreaterThan(10);
        assertThat(dead).isEmpty();
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>(
                List.of(ROOT.resolve("README.md"), ROOT.resolve("README.zh-CN.md"), ROOT.resolve("samples/README.md")));
        try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
            docs.filter(path -> path.toString().endsWith(".md")).forEach(pages::add);
        }
        return pages;
    }

    /** Whether a test shows what a page says of it, people have to judge; that it is there, this does. */
    @Test
    void everyTestThatAPageNamesExists() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.find(
                ROOT,
                20,
                (path, attributes) -> path.toString().contains("/src/test/java/")
                        && path.toString().endsWith(".java"))) {
            files.forEach(file ->
                    sources.merge(file.getFileName().toString().replace(".java", ""), read(file), String::concat));
        }
        List<String> missing = new ArrayList<>();
        int named = 0;
        for (Path page : pages()) {
            Matcher test = TEST.matcher(read(page));
            while (test.find()) {
                named++;
                String source = sources.getOrDefault(test.group(1), "");
                String method = test.group(2);
                if (source.isEmpty() || method != null && !source.contains(" void " + method + "(")) {
                    missing.add(ROOT.relativize(page) + " names " + test.group());
                }
            }
        }
        assertThat(named).isGreaterThan(100);
        assertThat(missing).isEmpty();
    }

    private static String commandUnder(String page, String heading) {
        String text = read(ROOT.resolve(page));
        String section = text.substring(text.indexOf("\n## " + heading + "\n") + 1);
        int next = section.indexOf("\n## ", 1);
        String[] parts = (next < 0 ? section : section.substring(0, next)).split("(?m)^```[a-z]*$");
        assertThat(parts).as("one fenced block under '%s' of %s", heading, page).hasSize(3);
        return parts[1].strip();
    }

    private static List<String> links(Path page) {
        return LINK.matcher(read(page)).results().map(match -> match.group(1)).toList();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
