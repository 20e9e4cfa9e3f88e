package io.txn.coordinator;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.extension.LockDomain;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** The name of the lock domain that lives in a data directory, in a file beside its journal. */
final class DomainFile {

    private DomainFile() {}

    /**
     * Reads it, or makes one up and writes it. To be called by the one who has locked the directory.
     *
     * @throws TxnException DATA_DIR_UNUSABLE
     */
    static String readOrCreate(Path dataDir, RandomGenerator random) {
        Path file = dataDir.resolve("domain");
        try {
            // One that cannot be read as a domain was cut short by a crash before anybody was told of it.
            if (Files.exists(file)) {
                String kept = Files.readString(file, StandardCharsets.UTF_8).strip();
                if (LockDomain.isValid(kept)) {
                    return kept;
                }
            }
            String made = new UUID(random.nextLong(), random.nextLong()).toString();
            Path draft = Files.writeString(dataDir.resolve("domain.new"), made + '\n', StandardCharsets.UTF_8);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return made;
        } catch (IOException e) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", dataDir, "cause", e);
        }
    }
}
