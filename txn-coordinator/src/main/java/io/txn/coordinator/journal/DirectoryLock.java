package io.txn.coordinator.journal;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a second coordinator out of a directory: a lock of the operating system on the file {@code lock}, gone with the process however it ends.
 *
 * <p>Such a lock belongs to the process, and closing <em>any</em> handle of the file gives it up. So a second journal in the same process must
 * be turned away before it opens that file: the file {@code lock-owner} says which process (by its id and start, as ids repeat, in containers
 * above all) holds the lock, and serves the error message as well.
 */
final class DirectoryLock implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(DirectoryLock.class);

    private final FileChannel channel;
    private final Path ownerFile;

    private DirectoryLock(FileChannel channel, Path ownerFile) {
        this.channel = channel;
        this.ownerFile = ownerFile;
    }

    /** @throws TxnException DATA_DIR_IN_USE */
    static DirectoryLock take(Path directory) throws IOException {
        Path ownerFile = directory.resolve("lock-owner");
        String self = ProcessHandle.current().pid() + " "
                + ManagementFactory.getRuntimeMXBean().getStartTime();
        String owner = Files.exists(ownerFile) ? Files.readString(ownerFile).strip() : null;
        if (self.equals(owner)) {
            throw inUse(directory, owner);
        }
        FileChannel channel =
                FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Two openings raced in this process. The channel stays open: closing it would free the winner's lock.
            throw inUse(directory, self);
        }
        if (lock == null) {
            channel.close();
            throw inUse(directory, owner);
        }
        try {
            Files.writeString(ownerFile, self);
        } catch (IOException e) {
            // The lock itself holds. A full disk must not keep the coordinator from finishing what it can.
            log.warn("The owner of the data directory's lock could not be written down. file={}", ownerFile, e);
        }
        return new DirectoryLock(channel, ownerFile);
    }

    private static TxnException inUse(Path directory, @Nullable String owner) {
        String pid = owner == null ? null : owner.split(" ", 2)[0];
        return new TxnException(ErrorCode.DATA_DIR_IN_USE, null, "directory", directory, "pid", pid);
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(ownerFile);
        channel.close();
    }
}
