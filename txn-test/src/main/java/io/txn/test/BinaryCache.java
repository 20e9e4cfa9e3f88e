package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Unpacked servers, shared by all JVMs of a build: each is unpacked once, aside, and then renamed into place, so that a
 * directory which is there is complete. A file lock keeps a second JVM waiting instead of unpacking the same again.
 */
final class BinaryCache {

    private static final String PROPERTY = "txn.test.cache";

    private final Path directory;

    private BinaryCache(Path directory) {
        this.directory = directory;
    }

    /**
     * Below the {@code target} of the outermost Maven project around the working directory, so that "mvn clean" removes
     * it; in the temporary directory when there is no such project. The system property {@code txn.test.cache} names
     * another place.
     */
    static BinaryCache ofBuild() {
        String configured = System.getProperty(PROPERTY);
        if (configured != null && !configured.isBlank()) {
            return new BinaryCache(Path.of(configured).toAbsolutePath());
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at.resolve(".mvn"))) {
                return new BinaryCache(at.resolve("target/txn-test-cache"));
            }
        }
        return inTemporaryDirectory();
    }

    static BinaryCache in(Path directory) {
        return new BinaryCache(directory.toAbsolutePath());
    }

    /** A place that other users can read too. */
    static BinaryCache inTemporaryDirectory() {
        return new BinaryCache(
                Path.of(System.getProperty("java.io.tmpdir"), "txn-test-cache-" + System.getProperty("user.name"))
                        .toAbsolutePath());
    }

    /** Puts the content of one cache entry into an empty directory. */
    @FunctionalInterface
    interface Unpacker {
        void unpackInto(Path empty) throws IOException;
    }

    /** The directory of that key, unpacked now if it is not there yet. */
    Path get(String key, Unpacker unpacker) {
        Path place = directory.resolve(key);
        try {
            createOwnDirectory();
            try (FileChannel channel = FileChannel.open(
                            directory.resolve(key + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                if (!lock.isValid()) {
                    throw new IOException("lost the lock of " + place);
                }
                if (!Files.isDirectory(place)) {
                    Path aside = directory.resolve(key + ".part");
                    Scratch.delete(
                            aside); // of a JVM that was killed while unpacking: we hold the lock, nobody writes to it
                    Files.createDirectory(aside);
                    unpacker.unpackInto(aside);
                    Files.move(aside, place, StandardCopyOption.ATOMIC_MOVE);
                }
            }
            return place;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack " + key + " into " + directory, e);
        }
    }

    private void createOwnDirectory() throws IOException {
        Files.createDirectories(directory);
        // Programs are run from here: nobody else may have prepared the directory, or be able to write to it.
        String owner = Files.getOwner(directory).getName();
        if (!owner.equals(System.getProperty("user.name"))) {
            throw new IOException(directory + " belongs to " + owner + "; name another one by -D" + PROPERTY + "=...");
        }
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
