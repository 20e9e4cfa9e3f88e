package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Kills a process we started when this JVM ends in any way, kill -9 included: a shell that waits for the end of a pipe which only
 * this JVM holds open. {@link #close()} stands it down once the guarded process has ended; closing twice is harmless.
 */
final class Guard implements AutoCloseable {

    private final Process shell;

    private Guard(Process shell) {
        this.shell = shell;
    }

    /**
     * @param pid the process to kill
     * @param scratch a directory to delete afterwards, or null; only ever one this JVM created
     */
    static Guard over(long pid, @Nullable Path scratch) {
        // Signals of a terminal go to the whole group; the guard must outlive them to do its work.
        String script =
                "trap '' INT TERM HUP; read -r word; [ \"$word\" = stand-down ] && exit 0; kill -9 \"$0\" 2>/dev/null;"
                        + " [ -z \"$1\" ] || { sleep 0.2; rm -rf -- \"$1\"; }";
        List<String> command =
                List.of("/bin/sh", "-c", script, Long.toString(pid), scratch == null ? "" : scratch.toString());
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
            pipe.write("stand-down\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
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
