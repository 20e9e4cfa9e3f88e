package io.txn.coordinator.saga;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Set;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A key for each execution of a step, which allows to say what came of that step and nothing else: whoever was called with it needs no other secret of this coordinator. Keys are computed from one secret in the data directory,
 * so nothing is kept of them and they outlive a restart. Immutable and thread-safe.
 */
public final class StepKeys {

    private static final String FILE = "step-secret";
    private static final String ALGORITHM = "HmacSHA256";
    private static final int BYTES = 32;

    /** Only copied: a copy costs a small part of a search for an implementation. */
    private final Mac prototype;

    private StepKeys(byte[] secret) {
        try {
            prototype = Mac.getInstance(ALGORITHM);
            prototype.init(new SecretKeySpec(secret, ALGORITHM));
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every Java has " + ALGORITHM, e);
        }
    }

    /**
     * Those of this data directory; its secret is made, and on the disk when this returns, when there is none. To be called by the one who has locked the directory.
     *
     * @throws TxnException DATA_DIR_UNUSABLE
     */
    public static StepKeys readOrCreate(Path dataDir, RandomGenerator random) {
        Path file = dataDir.resolve(FILE);
        try {
            if (!Files.exists(file)) {
                create(dataDir, file, random);
            }
            byte[] secret = Files.readAllBytes(file);
            if (secret.length != BYTES) {
                throw new IOException(file + " does not hold " + BYTES
                        + " bytes: delete it, and steps that are under way can be completed with the admin token only");
            }
            return new StepKeys(secret);
        } catch (IOException e) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", dataDir, "cause", e);
        }
    }

    private static void create(Path dataDir, Path file, RandomGenerator random) throws IOException {
        byte[] secret = new byte[BYTES];
        random.nextBytes(secret);
        Path draft = dataDir.resolve(FILE + ".new");
        Files.deleteIfExists(draft);
        boolean posix = Files.getFileAttributeView(dataDir, PosixFileAttributeView.class) != null;
        FileAttribute<?>[] mode = posix
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
        try (FileChannel channel =
                FileChannel.open(draft, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode)) {
            ByteBuffer bytes = ByteBuffer.wrap(secret);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        if (posix) {
            try (FileChannel directory = FileChannel.open(dataDir, StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
    }

    /** The key of the step with this correlation id: 43 letters, digits, {@code _} and {@code -}. */
    public String key(String correlationId) {
        try {
            byte[] code = ((Mac) prototype.clone()).doFinal(correlationId.getBytes(StandardCharsets.UTF_8));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(code);
        } catch (CloneNotSupportedException e) {
            throw new AssertionError("every Java's own " + ALGORITHM + " can be copied", e);
        }
    }

    /** Whether this is the key; takes the same time however much of it is right. */
    public boolean fits(String correlationId, String presented) {
        return MessageDigest.isEqual(
                key(correlationId).getBytes(StandardCharsets.UTF_8), presented.getBytes(StandardCharsets.UTF_8));
    }
}
