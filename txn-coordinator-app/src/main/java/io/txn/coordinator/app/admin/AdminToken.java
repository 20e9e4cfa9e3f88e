package io.txn.coordinator.app.admin;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.EnumSet;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * The one secret of the admin API: 256 random bits, in the file {@value #FILE} of the data directory, which only its owner may read. There is no
 * default and no way to choose a weak one. Immutable; keeps a digest only.
 */
public final class AdminToken {

    static final String FILE = "admin-token";
    private static final int BYTES = 32;
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private final byte[] digest;

    private AdminToken(String token) {
        this.digest = digest(token);
    }

    /**
     * The token of this data directory; made, stored durably and printed when there is none. The directory must be there and locked by this process.
     *
     * @param console gets the new token, once; a console and not a logger, as logs are collected and kept
     * @throws TxnException ADMIN_TOKEN_UNUSABLE
     */
    public static AdminToken loadOrCreate(Path dataDir, RandomGenerator random, PrintStream console) {
        Path file = dataDir.resolve(FILE);
        try {
            return Files.exists(file) ? load(file) : create(dataDir, file, random, console);
        } catch (IOException e) {
            throw new TxnException(ErrorCode.ADMIN_TOKEN_UNUSABLE, e, "file", file, "cause", e);
        }
    }

    private static AdminToken load(Path file) throws IOException {
        if (isPosix(file)) {
            Set<PosixFilePermission> permissions = EnumSet.copyOf(Files.getPosixFilePermissions(file));
            permissions.removeAll(OWNER_ONLY);
            if (!permissions.isEmpty()) {
                // Others may have read it, so silently closing it would not do.
                throw new TxnException(
                        ErrorCode.ADMIN_TOKEN_UNUSABLE,
                        null,
                        "file",
                        file,
                        "reason",
                        "others than its owner may read or change it");
            }
        }
        String token = Files.readString(file, StandardCharsets.ISO_8859_1).strip();
        if (!token.matches("[A-Za-z0-9_-]{43,128}")) {
            throw new TxnException(
                    ErrorCode.ADMIN_TOKEN_UNUSABLE, null, "file", file, "reason", "it does not hold a token");
        }
        return new AdminToken(token);
    }

    private static AdminToken create(Path dataDir, Path file, RandomGenerator random, PrintStream console)
            throws IOException {
        byte[] bytes = new byte[BYTES];
        random.nextBytes(bytes);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        Path temporary = dataDir.resolve(FILE + ".tmp");
        Files.deleteIfExists(temporary);
        boolean posix = isPosix(dataDir);
        FileAttribute<?>[] mode = posix
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                : new FileAttribute<?>[0];
        try (FileChannel channel =
                FileChannel.open(temporary, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode)) {
            ByteBuffer content = StandardCharsets.US_ASCII.encode(token + "\n");
            while (content.hasRemaining()) {
                channel.write(content);
            }
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        if (posix) {
            try (FileChannel directory = FileChannel.open(dataDir, StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
        console.println();
        console.println("Token of the admin API, shown this once and kept in " + file + ":");
        console.println("    " + token);
        console.println();
        return new AdminToken(token);
    }

    private static boolean isPosix(Path path) {
        return Files.getFileAttributeView(path, PosixFileAttributeView.class) != null;
    }

    /** Whether this is the token; takes the same time however much of it is right. */
    boolean matches(String presented) {
        return MessageDigest.isEqual(digest, digest(presented));
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }
}
