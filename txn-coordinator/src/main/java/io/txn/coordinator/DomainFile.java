package io.txn.coordinator;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.LockDomain;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** The name of the lock domain that lives in a data directory, in a file beside its journal. */
final class DomainFile {

    private DomainFile() {}

    /**
     * Reads it, or makes one up and writes it, which is on the disk when this returns. To be called by the one who has locked the directory. A file that holds no domain is
     * never replaced: clients may know the domain that it held, and it was complete before it got its name.
     *
     * @throws TxnException DATA_DIR_UNUSABLE
     */
    static String readOrCreate(Path dataDir, RandomGenerator random) {
        Path file = dataDir.resolve("domain");
        try {
            if (Files.exists(file)) {
                // One that is no text has no domain in it either.
                String kept = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip();
                if (!LockDomain.isValid(kept)) {
                    throw damaged(file);
                }
                return kept;
            }
            String made = new UUID(random.nextLong(), random.nextLong()).toString();
            Path draft = dataDir.resolve("domain.new");
            try (FileChannel channel = FileChannel.open(
                    draft, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap((made + '\n').getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
            syncNames(dataDir);
            return made;
        } catch (IOException e) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", dataDir, "cause", e);
        }
    }

    private static void syncNames(Path dataDir) throws IOException {
        if (!dataDir.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return; // Windows neither needs this nor lets a directory be opened.
        }
        try (FileChannel directory = FileChannel.open(dataDir, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private static TxnException damaged(Path file) {
        return new TxnException(
                ErrorCode.DATA_DIR_UNUSABLE,
                null,
                "file",
                file,
                "cause",
                "it holds no name of a lock domain: bring it back from a copy of the directory; without one, delete it, and every resource gets a new domain");
    }
}
