package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnpackedJarTest {

    private static final Duration MAX = Duration.ofSeconds(60);

    /** Says that it has started, as programs of Spring Boot do, and unpacks itself as they do. */
    static final class Program {

        private Program() {}

        public static void main(String[] arguments) throws Exception {
            if ("tools".equals(System.getProperty("jarmode"))) {
                Path jar = Path.of(System.getProperty("java.class.path"));
                Path destination = Path.of(arguments[arguments.length - 1]);
                Files.copy(jar, destination.resolve(jar.getFileName()));
                return;
            }
            if (arguments[0].equals("fails")) {
                System.exit(1);
            }
            System.out.println("Started Program in 0.1 seconds as " + arguments[0]);
            new CountDownLatch(1).await();
        }
    }

    @TempDir
    Path directory;

    private Path jar;
    private BinaryCache cache;
    private final AtomicInteger trained = new AtomicInteger();

    @BeforeEach
    void makeTheJar() throws IOException {
        jar = directory.resolve("program.jar");
        cache = BinaryCache.in(directory.resolve("cache"));
        writeJar("first");
    }

    private void writeJar(String content) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Program.class.getName());
        String name = Program.class.getName().replace('.', '/') + ".class";
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest);
                InputStream code = Program.class.getClassLoader().getResourceAsStream(name)) {
            out.putNextEntry(new JarEntry(name));
            code.transferTo(out);
            out.putNextEntry(new JarEntry(content));
        }
    }

    private List<String> program(String training) {
        return UnpackedJar.program(cache, jar, () -> {
            trained.incrementAndGet();
            return List.of(training);
        });
    }

    private JavaProcess start(List<String> program, String name) {
        return JavaProcess.program(program)
                .jvm("-Xlog:class+load=info")
                .args(name)
                .start(directory.resolve(name + ".log"));
    }

    @Test
    void itStartsFromAnArchiveThatIsMadeOnce() {
        List<String> first = program("training");
        assertThat(program("training")).isEqualTo(first);
        assertThat(trained).hasValue(1);
        try (JavaProcess process = start(first, "archived")) {
            process.awaitLine("^Started Program in .* as archived$", MAX);
            assertThat(process.output()).containsPattern(loaded("shared objects file \\(top\\)"));
        }
    }

    @Test
    void withoutAnArchiveItStartsAllTheSame() {
        List<String> plain = program("fails");
        assertThat(plain).hasSize(2).startsWith("-jar");
        assertThat(program("fails")).isEqualTo(plain);
        assertThat(trained).hasValue(1);
        try (JavaProcess process = start(plain, "plain")) {
            process.awaitLine("^Started Program in .* as plain$", MAX);
            assertThat(process.output()).containsPattern(loaded("file:"));
        }
    }

    @Test
    void anArchiveThatIsBrokenIsLeftAlone() throws IOException {
        List<String> program = program("training");
        Path archive = Path.of(program.get(0).substring("-XX:SharedArchiveFile=".length()));
        Files.write(archive, new byte[100]);
        try (JavaProcess process = start(program, "broken")) {
            process.awaitLine("^Started Program in .* as broken$", MAX);
            assertThat(process.output()).containsPattern(loaded("file:"));
        }
    }

    @Test
    void anotherJarIsUnpackedAnewAndTheOlderOneGoes() throws IOException {
        program("fails");
        writeJar("second, and longer");
        Path unpacked = Path.of(program("fails").get(1));
        assertThat(trained).hasValue(2);
        try (var jar = FileSystems.newFileSystem(unpacked)) {
            assertThat(jar.getPath("second, and longer")).exists();
        }
        String key = unpacked.getParent().getFileName().toString();
        try (var entries = Files.list(directory.resolve("cache"))) {
            assertThat(entries.filter(Files::isDirectory)
                            .map(entry -> entry.getFileName().toString()))
                    .containsExactlyInAnyOrder(key, key + "-classes");
        }
    }

    private static String loaded(String source) {
        return Program.class.getName().replace("$", "\\$") + " source: " + source;
    }
}
