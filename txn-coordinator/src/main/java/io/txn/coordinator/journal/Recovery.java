package io.txn.coordinator.journal;

import io.txn.protocol.TxnException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads a journal back: the newest valid snapshot and every record after it. Decides between the two ways in which bytes can be wrong.
 *
 * <ul>
 *   <li><b>Torn tail.</b> Frames are written one at a time, and the next only when the one before is synced. So after a crash at most the last
 *       frame is incomplete, it was acknowledged to nobody, and nothing valid stands behind it. It is cut off.
 *   <li><b>Damage.</b> Everything else: a bad frame with a valid one behind it or in any segment but the last, a file of the wrong length that lost
 *       frames, frames out of order, a missing segment. An acknowledged record may be gone, so the journal does not open.
 * </ul>
 *
 * A bad last frame that had been acknowledged looks like a torn one. The seal, a frame without records that is written when the journal
 * falls idle and when it is closed, is the valid frame behind it that tells them apart.
 */
final class Recovery {

    private static final Logger log = LoggerFactory.getLogger(Recovery.class);
    private static final Pattern SEGMENT_NAME = Pattern.compile("segment-(\\d{19})\\.log");
    private static final Pattern SNAPSHOT_NAME = Pattern.compile("snapshot-(\\d{19})\\.snap");

    private final JournalFiles files;
    private final Path directory;
    private final Replay target;
    private final boolean repairing;

    private long journalId;
    private long snapshotIndex;
    private @Nullable TxnException snapshotDamage;
    private ByteBuffer buffer = ByteBuffer.allocateDirect(0);

    /** @param repairing whether this is part of a repair, and so what it leaves half done is no obstacle */
    Recovery(JournalFiles files, Path directory, Replay target, boolean repairing) {
        this.files = files;
        this.directory = directory;
        this.target = target;
        this.repairing = repairing;
    }

    /** What was found; there is no end when the directory holds no journal yet. */
    record Found(long lastIndex, long snapshotIndex, Deque<Segment> segments, SegmentWriter.@Nullable End end) {}

    Found run() throws IOException {
        List<String> names = files.list(directory);
        if (!repairing && names.contains(OfflineJournal.UNFINISHED)) {
            throw FilePrefix.damaged(
                    directory.resolve(OfflineJournal.UNFINISHED),
                    0,
                    "a repair was not finished: repeat it; this file says where the copies are");
        }
        removeUnfinished(names);
        readSnapshot(names);
        List<Opened> opened = readHeaders(names);
        if (opened.isEmpty()) {
            if (snapshotIndex > 0) {
                throw FilePrefix.damaged(directory, 0, "there is a snapshot but no segment");
            }
            if (snapshotDamage != null) {
                throw snapshotDamage;
            }
            return new Found(0, 0, new ArrayDeque<>(), null);
        }
        return readSegments(opened);
    }

    private record Opened(Segment segment, SegmentHeader header) {}

    /** Files that were being made when the process ended. They hold nothing that was acknowledged. */
    private void removeUnfinished(List<String> names) throws IOException {
        for (String name : names) {
            if (name.startsWith(RoomMaker.SPARE_PREFIX) || name.equals(FileJournal.SNAPSHOT_TEMP)) {
                files.delete(directory.resolve(name));
            }
        }
    }

    private void readSnapshot(List<String> names) throws IOException {
        for (int i = names.size() - 1; i >= 0; i--) {
            Matcher name = SNAPSHOT_NAME.matcher(names.get(i));
            if (name.matches() && tryToRead(directory.resolve(names.get(i)), Long.parseLong(name.group(1)))) {
                return;
            }
        }
    }

    private boolean tryToRead(Path path, long index) throws IOException {
        try (JournalFiles.OpenFile file = files.open(path, false)) {
            try {
                journalId = SnapshotFile.verify(path, file, index);
            } catch (TxnException e) {
                if (e.code() != io.txn.protocol.ErrorCode.JOURNAL_DAMAGED) {
                    throw e;
                }
                // An older snapshot, or the log from its start, may do: if so nothing is missing.
                log.warn("A snapshot is damaged and is passed over. {}", e.getMessage());
                if (snapshotDamage == null) {
                    snapshotDamage = e;
                }
                return false;
            }
            try (InputStream state = SnapshotFile.state(file)) {
                target.snapshot(index, state);
            }
            snapshotIndex = index;
            return true;
        }
    }

    private List<Opened> readHeaders(List<String> names) throws IOException {
        List<Opened> all = new ArrayList<>();
        for (String name : names) {
            Matcher matcher = SEGMENT_NAME.matcher(name);
            if (matcher.matches()) {
                Path path = directory.resolve(name);
                SegmentHeader header = readHeader(path);
                if (header.segmentId() != Long.parseLong(matcher.group(1))) {
                    throw FilePrefix.damaged(path, 24, "the file says another number than its name");
                }
                if (journalId == 0) {
                    journalId = header.journalId();
                } else if (header.journalId() != journalId) {
                    throw FilePrefix.damaged(path, 16, "the file belongs to another journal");
                }
                all.add(new Opened(new Segment(header.segmentId(), header.firstIndex(), path), header));
            }
        }
        return all;
    }

    private SegmentHeader readHeader(Path path) throws IOException {
        try (JournalFiles.OpenFile file = files.open(path, false)) {
            ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
            file.read(bytes, 0);
            return SegmentHeader.read(path, bytes.flip());
        }
    }

    private Found readSegments(List<Opened> all) throws IOException {
        int start = all.size() - 1;
        while (start >= 0 && all.get(start).header().firstIndex() > snapshotIndex + 1) {
            start--;
        }
        if (start < 0) {
            if (snapshotDamage != null) {
                throw snapshotDamage;
            }
            Opened first = all.get(0);
            throw FilePrefix.damaged(
                    first.segment().path(),
                    32,
                    "records " + (snapshotIndex + 1) + " to " + (first.header().firstIndex() - 1) + " are missing");
        }
        for (int i = 0; i < start; i++) {
            files.delete(all.get(i).segment().path()); // left over when a snapshot's clean-up was cut short
        }
        Deque<Segment> segments = new ArrayDeque<>();
        SegmentCursor before = null;
        for (int i = start; i < all.size(); i++) {
            Opened next = all.get(i);
            segments.add(next.segment());
            JournalFiles.OpenFile file = files.open(next.segment().path(), false);
            boolean kept = false;
            try {
                SegmentCursor cursor = SegmentCursor.open(next.segment(), next.header(), file, buffer);
                buffer = cursor.bytes();
                if (before != null) {
                    before.mustContinueIn(cursor);
                }
                cursor.read((index, record) -> {
                    if (index > snapshotIndex) {
                        target.record(index, record);
                    }
                });
                if (i == all.size() - 1) {
                    cutTail(cursor, file, next.header().fileBytes());
                    makeDurable(cursor, file);
                    mustReachTheSnapshot(cursor);
                    kept = true;
                    return new Found(cursor.nextIndex() - 1, snapshotIndex, segments, cursor.end(file));
                }
                before = cursor;
            } finally {
                if (!kept) {
                    file.close();
                }
            }
        }
        throw new AssertionError("no segment is the last one");
    }

    private void mustReachTheSnapshot(SegmentCursor last) {
        long lastIndex = last.nextIndex() - 1;
        if (lastIndex < snapshotIndex) {
            throw last.damaged(
                    last.position(),
                    "the log ends at record " + lastIndex + ", before the snapshot's " + snapshotIndex);
        }
    }

    /** What was not finished is not truncated but zeroed, so that the room made ahead stays, and no rest of it can stand behind a later write. */
    private void cutTail(SegmentCursor cursor, JournalFiles.OpenFile file, int fileBytes) throws IOException {
        if (cursor.isTorn()) {
            log.warn(
                    "The journal's last write was not finished, nobody was told that it was, and it is cut off. file={} offset={}",
                    cursor.segment().path(),
                    cursor.position());
            RoomMaker.fill(file, cursor.position(), fileBytes);
        }
    }

    /**
     * What was read may never have been synced: the process can have ended before its sync, or because of a sync that failed, after which the
     * kernel calls the pages clean. Nothing may follow from these records until they are on disk, so the last frame (no more can be in
     * doubt) is written once more.
     */
    private void makeDurable(SegmentCursor cursor, JournalFiles.OpenFile file) throws IOException {
        file.write(cursor.lastFrame(), cursor.lastFramePosition());
        file.sync(true);
        files.syncDirectory(directory);
    }
}
