package io.txn.coordinator.journal;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/** What can happen to files, done on purpose. */
final class Damage {

    private Damage() {}

    /** The directory as it stands at this moment: what a crash would leave behind. */
    static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(to)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (Files.isRegularFile(file) && !name.startsWith("lock") && !name.startsWith("spare-")) {
                    Files.copy(file, to.resolve(name));
                }
            }
        }
    }

    static void flip(Path file, long offset, int bit) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(offset);
            int value = open.read();
            open.seek(offset);
            open.write(value ^ (1 << bit));
        }
    }

    /** Where the content of a file ends, and the zeros behind it begin. */
    static int endOf(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] == 0) {
            end--;
        }
        return end;
    }

    static void zeroFrom(Path file, long offset) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek(offset);
            open.write(new byte[(int) (open.length() - offset)]);
        }
    }

    static void truncate(Path file, long length) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(length);
        }
    }

    /** Makes a file look as if a later version of the format had written it. */
    static void newerVersion(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer prefix = ByteBuffer.wrap(bytes);
        prefix.putInt(8, FilePrefix.VERSION + 1);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, 12);
        prefix.putInt(12, (int) crc.getValue());
        Files.write(file, bytes);
    }
}
