package io.txn.test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** What we run on, and small programs of the system. */
final class Platform {

    private Platform() {}

    static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    static void requireLinuxX64(String server) {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        if (!system.equals("linux") || !(processor.equals("amd64") || processor.equals("x86_64"))) {
            throw new IllegalStateException("the " + server + " server of the tests runs on Linux x86-64 only, this is "
                    + system + " " + processor + ": run the tests in a container or a virtual machine");
        }
    }

    /**
     * A program that comes from no Maven repository: the one that a variable names ({@code TXN_TEST_ETCD} for etcd), the one that {@code .ci/run} has put into the
     * cache, or the one on the path; empty when there is none.
     *
     * @param cached where it is in the cache
     */
    static Optional<Path> program(String name, String cached) {
        String named = System.getenv("TXN_TEST_" + name.toUpperCase(Locale.ROOT));
        String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
        return Stream.concat(
                        Stream.of(named == null ? "" : named, cache + "/txn-test/" + cached),
                        Stream.of((System.getenv().getOrDefault("PATH", "") + ":/usr/sbin").split(":"))
                                .map(directory -> directory + "/" + name))
                .filter(text -> !text.isEmpty())
                .map(Path::of)
                .filter(path -> Files.isRegularFile(path) && Files.isExecutable(path))
                .findFirst();
    }

    static boolean succeeds(String... command) {
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false; // the program is not there: then it does not succeed
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Runs a program to its end, its output in the file; returns its exit code. */
    static int run(Path directory, Path log, List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().put("LC_ALL", "C");
        Process process = builder.start();
        try {
            process.getOutputStream().close();
            return process.waitFor();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while running " + command.get(0), e);
        }
    }
}
