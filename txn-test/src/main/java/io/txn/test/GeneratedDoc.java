package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A page, or a part of a page, under the project's {@code docs/} that is generated from code. A test calls {@link #check} with what the page
 * should say: normally that fails when the page says something else; with {@code -Dtxn.docs.update=true} it writes the page instead.
 */
public final class GeneratedDoc {

    /** The system property that turns comparing into writing. */
    public static final String UPDATE = "txn.docs.update";

    private final Path file;
    private final boolean update;

    GeneratedDoc(Path file, boolean update) {
        this.file = file;
        this.update = update;
    }

    /** The page {@code name} in the {@code docs} directory of the project that the working directory belongs to. */
    public static GeneratedDoc of(String name) {
        Path root = Path.of("").toAbsolutePath();
        for (Path up = root.getParent(); up != null && Files.exists(up.resolve("pom.xml")); up = up.getParent()) {
            root = up;
        }
        return new GeneratedDoc(root.resolve("docs").resolve(name), Boolean.getBoolean(UPDATE));
    }

    /** The whole page reads {@code content}. */
    public void check(String content) {
        compareOrWrite(content);
    }

    /** Between the lines {@code <!-- generated: section -->} and {@code <!-- end -->} the page reads {@code content}. */
    public void checkSection(String section, String content) {
        String page = text();
        String begin = "<!-- generated: " + section + " -->\n";
        int from = page.indexOf(begin);
        int to = page.indexOf("<!-- end -->", Math.max(from, 0));
        if (from < 0 || to < 0) {
            throw new AssertionError(file + " has no part between " + begin.trim() + " and <!-- end -->");
        }
        compareOrWrite(page.substring(0, from + begin.length()) + content + page.substring(to));
    }

    private void compareOrWrite(String expected) {
        String actual = text();
        if (actual.equals(expected)) {
            return;
        }
        if (update) {
            write(expected);
            return;
        }
        throw new AssertionError(file + " is out of date: " + firstDifference(actual, expected)
                + ". Run this test with -D" + UPDATE + "=true and review the difference.");
    }

    private static String firstDifference(String actual, String expected) {
        List<String> is = actual.lines().toList();
        List<String> should = expected.lines().toList();
        int line = 0;
        while (line < is.size() && line < should.size() && is.get(line).equals(should.get(line))) {
            line++;
        }
        return "line " + (line + 1) + " is " + quoted(is, line) + " and should be " + quoted(should, line);
    }

    private static String quoted(List<String> lines, int index) {
        return index < lines.size() ? '"' + lines.get(index) + '"' : "absent";
    }

    /** What the page says now. */
    public String text() {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void write(String content) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, content);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
