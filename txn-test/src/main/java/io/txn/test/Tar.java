package io.txn.test;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * Reads the plain tar format, as far as the archive of the PostgreSQL binaries uses it: files, directories, symbolic
 * links.
 */
final class Tar {

    private static final int BLOCK = 512;

    private Tar() {}

    /** Unpacks everything below the directory; an entry that would land outside of it is refused. */
    static void unpack(InputStream archive, Path directory) throws IOException {
        Path root = directory.toAbsolutePath().normalize();
        while (true) {
            byte[] header = archive.readNBytes(BLOCK);
            if (header.length < BLOCK) {
                throw new EOFException("the archive ends without its end mark");
            }
            if (header[0] == 0) {
                return;
            }
            String name = text(header, 0, 100);
            long size = number(header, 124, 12);
            Path target = root.resolve(name).normalize();
            if (!target.startsWith(root)) {
                throw new IOException("entry " + name + " lies outside of the archive");
            }
            char type = (char) header[156];
            switch (type) {
                case '5' -> Files.createDirectories(target);
                case '2' -> {
                    Path link = Path.of(text(header, 157, 100));
                    if (!target.resolveSibling(link).normalize().startsWith(root)) {
                        throw new IOException("link " + name + " leads out of the archive");
                    }
                    Files.createDirectories(parent(target));
                    Files.createSymbolicLink(target, link);
                }
                case '0', '\0' -> file(archive, target, size, (number(header, 100, 8) & 0100) != 0);
                default -> throw new IOException("entry " + name + " has type " + type + ", which is not known here");
            }
        }
    }

    private static void file(InputStream archive, Path target, long size, boolean executable) throws IOException {
        Files.createDirectories(parent(target));
        try (var out = Files.newOutputStream(target)) {
            byte[] buffer = new byte[1 << 16];
            for (long left = size; left > 0; ) {
                int read = archive.read(buffer, 0, (int) Math.min(left, buffer.length));
                if (read < 0) {
                    throw new EOFException("the archive ends within " + target.getFileName());
                }
                out.write(buffer, 0, read);
                left -= read;
            }
        }
        archive.skipNBytes((BLOCK - size % BLOCK) % BLOCK);
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
    }

    private static Path parent(Path target) throws IOException {
        Path parent = target.getParent();
        if (parent == null) {
            throw new IOException("no directory around " + target);
        }
        return parent;
    }

    private static String text(byte[] header, int from, int length) {
        int end = from;
        while (end < from + length && header[end] != 0) {
            end++;
        }
        return new String(header, from, end - from, StandardCharsets.UTF_8);
    }

    private static long number(byte[] header, int from, int length) throws IOException {
        String digits = text(header, from, length).trim();
        try {
            return digits.isEmpty() ? 0 : Long.parseLong(digits, 8);
        } catch (NumberFormatException e) {
            throw new IOException("damaged archive: " + digits + " is not an octal number", e);
        }
    }
}
