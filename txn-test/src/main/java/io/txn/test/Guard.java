package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Kills a process we started when this JVM ends in any way, kill -9 included: a shell that waits for the end of a pipe
 * which only this JVM holds open. {@link #close()} stands it down once the guarded process has ended; closing twice is
 * harmless.
 */
final class Guard implements AutoCloseable {

    private final Process shell;

    private Guard(Process shell) {
        this.shell = shell;
    }

    /**
     * @param pid the process to kill
     * @param signal what to send first, such as QUIT; KILL follows when that does not help within two seconds
     * @param scratch a directory to delete afterwards, or null; only ever one this JVM created
     */
    static Guard over(long pid, String signal, @Nullable Path scratch) {
        // Signals of a terminal go to the whole group; the guard must outlive them to do its work.
        String script = """
                trap '' INT TERM HUP
                read -r word
                [ "$word" = stand-down ] && exit 0
                kill -s "$2" "$1" 2>/dev/null
                for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.2; done
                kill -9 "$1" 2>/dev/null
                [ -z "$3" ] || rm -rf -- "$3"
                """;
        List<String> command = List.of(
                "/bin/sh",
                "-c",
                script,
                "guard",
                Long.toString(pid),
                signal,
                scratch == null ? "" : scratch.toString());
        try {
            return new Guard(new ProcessBuilder(command)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start /bin/sh to guard process " + pid, e);
        }
    }

    @Override
    public void close() {
        try (var pipe = shell.getOutputStream()) {
            pipe.write("stand-down\n".getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            shell.destroyForcibly(); // the shell is gone already, or cannot be told: either way it must not kill later
        }
        try {
            shell.waitFor();
        } catch (InterruptedException e) {
            shell.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
