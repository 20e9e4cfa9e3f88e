package io.txn.coordinator.journal;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The files of a journal that no coordinator serves at the moment: shown and verified without changing a byte, and, on demand, cut at the first damage. Not
 * thread-safe.
 *
 * <p>Reading takes no lock, so that it can be done beside a running coordinator; what it writes just then looks like a write that was not finished.
 */
public final class OfflineJournal {

    /**
     * Stands in the directory from before the first change of a repair until behind its last: as long as it is there nobody else uses the journal. It holds
     * where the files as they were have been copied to.
     */
    static final String UNFINISHED = "repair-unfinished";

    private final Path directory;
    private final DiskFiles files = new DiskFiles();

    public OfflineJournal(Path directory) {
        this.directory = directory.toAbsolutePath().normalize();
        if (!Files.isDirectory(this.directory)) {
            throw new TxnException(
                    ErrorCode.DATA_DIR_UNUSABLE, null, "directory", this.directory, "cause", "there is no journal");
        }
    }

    /** What a file holds. */
    public enum Kind {
        SEGMENT,
        SNAPSHOT
    }

    /**
     * One file.
     *
     * @param firstIndex of a segment: the first record that it holds or will hold; of a snapshot: 1
     * @param lastIndex the last record that it holds and that can be read
     * @param bytes its size
     * @param damage what is wrong with it, or null; behind a damaged segment, that it is not reached
     * @param tornAt where its last write was not finished, or -1: nobody was told that it was
     */
    public record FileState(
            Path file,
            Kind kind,
            long firstIndex,
            long lastIndex,
            long bytes,
            @Nullable Damage damage,
            long tornAt) {}

    /** What is wrong, and where. */
    public record Damage(Path file, long offset, String reason) {

        static Damage of(TxnException e) {
            Map<String, Object> facts = e.facts();
            return new Damage(
                    (Path) facts.getOrDefault("file", Path.of("")),
                    facts.get("offset") instanceof Number offset ? offset.longValue() : 0,
                    String.valueOf(facts.getOrDefault("reason", e.getMessage())));
        }
    }

    /** Takes records, with the place where they stand. */
    @FunctionalInterface
    public interface Records {
        void record(long index, ByteBuffer record);
    }

    /**
     * Looks at every file, also at those that a start would not need.
     *
     * @param records takes every record up to the first damage of the log
     * @throws TxnException JOURNAL_TOO_NEW
     */
    public List<FileState> examine(Records records) {
        try {
            Walk walk = new Walk();
            for (String name : files.list(directory)) {
                if (name.startsWith("snapshot-") && name.endsWith(".snap")) {
                    walk.states.add(snapshot(directory.resolve(name)));
                }
            }
            for (String name : files.list(directory)) {
                if (name.startsWith("segment-") && name.endsWith(".log")) {
                    walk.segment(directory.resolve(name), records);
                }
            }
            walk.end();
            return walk.states;
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Reads what a start would read, the newest snapshot and the records after it, and throws what a start would throw. Changes nothing. */
    public long read(Replay target) {
        try {
            Recovery.Found found = new Recovery(new ReadOnly(files), directory, target, false).run();
            SegmentWriter.End end = found.end();
            if (end != null) {
                end.file().close();
            }
            return found.lastIndex();
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    private FileState snapshot(Path path) throws IOException {
        long index = number(path);
        long size = Files.size(path);
        try (JournalFiles.OpenFile file = new ReadOnly(files).open(path, false)) {
            SnapshotFile.verify(path, file, index);
            return new FileState(path, Kind.SNAPSHOT, 1, index, size, null, -1);
        } catch (TxnException e) {
            return new FileState(path, Kind.SNAPSHOT, 1, 0, size, damage(e), -1);
        }
    }

    private static Damage damage(TxnException e) {
        if (e.code() != ErrorCode.JOURNAL_DAMAGED) {
            throw e;
        }
        return Damage.of(e);
    }

    private static long number(Path file) {
        String digits = String.valueOf(file.getFileName()).replaceAll("\\D", "");
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw FilePrefix.damaged(file, 0, "its name holds no number");
        }
    }

    /** Goes through the segments in order. */
    private final class Walk {

        private final List<FileState> states = new ArrayList<>();
        private @Nullable SegmentCursor before;
        private long journalId;
        private @Nullable Damage first;

        void segment(Path path, Records records) throws IOException {
            long size = Files.size(path);
            if (first != null) {
                Damage unreached = new Damage(path, 0, "it stands behind a damage");
                states.add(new FileState(path, Kind.SEGMENT, 0, 0, size, unreached, -1));
                return;
            }
            SegmentHeader header = null;
            SegmentCursor cursor = null;
            try (JournalFiles.OpenFile file = new ReadOnly(files).open(path, false)) {
                header = header(path, file);
                cursor = SegmentCursor.open(
                        new Segment(header.segmentId(), header.firstIndex(), path),
                        header,
                        file,
                        ByteBuffer.allocate(0));
                if (before != null) {
                    mustContinue(before, cursor);
                }
                cursor.read(records::record);
                states.add(
                        new FileState(path, Kind.SEGMENT, header.firstIndex(), cursor.nextIndex() - 1, size, null, -1));
                before = cursor;
            } catch (TxnException e) {
                Damage damage = damage(e);
                first = damage;
                if (damage.file().equals(path)) {
                    long from = header == null ? 0 : header.firstIndex();
                    long to = cursor == null ? from - 1 : cursor.nextIndex() - 1;
                    states.add(new FileState(path, Kind.SEGMENT, from, Math.max(to, 0), size, damage, -1));
                } else {
                    blame(damage);
                    states.add(new FileState(
                            path, Kind.SEGMENT, 0, 0, size, new Damage(path, 0, "it stands behind a damage"), -1));
                }
            }
        }

        /** What is seen at the beginning of a segment may be the fault of the one before. */
        private void blame(Damage damage) {
            states.replaceAll(state -> state.file().equals(damage.file())
                    ? new FileState(
                            state.file(),
                            state.kind(),
                            state.firstIndex(),
                            state.lastIndex(),
                            state.bytes(),
                            damage,
                            -1)
                    : state);
        }

        private SegmentHeader header(Path path, JournalFiles.OpenFile file) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
            file.read(bytes, 0);
            SegmentHeader header = SegmentHeader.read(path, bytes.flip());
            if (header.segmentId() != number(path)) {
                throw FilePrefix.damaged(path, 24, "the file says another number than its name");
            }
            if (journalId != 0 && header.journalId() != journalId) {
                throw FilePrefix.damaged(path, 16, "the file belongs to another journal");
            }
            journalId = header.journalId();
            return header;
        }

        private void mustContinue(SegmentCursor last, SegmentCursor next) {
            // A segment that is not the last one ends where the next one begins, or at a damage with its own reason.
            int behind = last.validFrameBehind(last.position());
            if (behind > 0) {
                throw last.damaged(
                        last.position(), "a frame is damaged, and the one at " + behind + " behind it is not");
            }
            last.mustContinueIn(next);
        }

        /** The last segment may end in a write that was not finished. */
        void end() {
            SegmentCursor last = before;
            if (last == null || first != null) {
                return;
            }
            try {
                if (last.isTorn()) {
                    FileState state = states.remove(states.size() - 1);
                    states.add(new FileState(
                            state.file(),
                            state.kind(),
                            state.firstIndex(),
                            state.lastIndex(),
                            state.bytes(),
                            null,
                            last.position()));
                }
            } catch (TxnException e) {
                blame(damage(e));
            }
        }
    }

    /**
     * What a repair did.
     *
     * @param copies where the files are as they were, or null when nothing was wrong
     * @param earlier where they are as they were before an earlier repair that was not finished, or null: there was none
     * @param damages what was wrong
     * @param cutFile the segment that was cut, or null
     * @param cutAt from where on it is empty now; 0 when it was removed
     * @param skippedIn segments that begin behind a damage now, because the snapshot has everything before
     * @param removed files that are no longer there
     * @param begunAt the first record of a segment that was made anew behind the snapshot, or 0
     * @param lostFrom the first record that is lost, or 0; how many could not even be read is not known
     * @param unfinished why the repair is not finished: what had to follow the loss did not succeed. Nobody can use the journal before it is repeated. Null: it is finished
     */
    public record Repair(
            @Nullable Path copies,
            @Nullable Path earlier,
            List<Damage> damages,
            List<Path> skippedIn,
            @Nullable Path cutFile,
            long cutAt,
            List<Path> removed,
            long begunAt,
            long lostFrom,
            @Nullable TxnException unfinished) {

        private Repair unfinished(TxnException why) {
            return new Repair(copies, earlier, damages, skippedIn, cutFile, cutAt, removed, begunAt, lostFrom, why);
        }
    }

    /**
     * Copies every file aside, then removes damaged snapshots, segments that a snapshot has replaced, and everything in the log from its first damage on.
     * What stands behind a damage is kept where a snapshot has everything before it. Refused while somebody has the lock, and where the records before the log
     * are needed and gone. When this is interrupted nobody can use the journal until it has been repeated.
     *
     * @param aside a directory that does not exist yet
     * @param lost takes the records behind the damage that can be read and are lost all the same
     * @param afterLoss is given the journal, not replayed yet, when records were lost, now or by an earlier repair that was not finished: before anybody else
     *     can have it. It is closed behind this.
     * @throws TxnException DATA_DIR_IN_USE, JOURNAL_TOO_NEW, JOURNAL_DAMAGED when cutting does not help
     */
    public Repair cutAtDamage(Path aside, Records lost, Consumer<Journal> afterLoss) {
        try {
            DirectoryLock lock = DirectoryLock.take(directory);
            boolean handedOver = false;
            try {
                Repair repair = cut(aside, lost);
                if (repair.lostFrom() == 0 && repair.earlier() == null) {
                    finished();
                    return repair;
                }
                handedOver = true;
                try (Journal journal = FileJournal.openForRepair(directory, lock)) {
                    afterLoss.accept(journal);
                    finished();
                } catch (TxnException e) {
                    return repair.unfinished(e);
                }
                return repair;
            } finally {
                if (!handedOver) {
                    lock.close();
                }
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /** Everything of the repair is durable. */
    private void finished() throws IOException {
        files.delete(directory.resolve(UNFINISHED));
        files.syncDirectory(directory);
    }

    private @Nullable Path earlierRepair() throws IOException {
        Path mark = directory.resolve(UNFINISHED);
        return Files.exists(mark) ? Path.of(Files.readString(mark).strip()) : null;
    }

    private void begun(Path aside) throws IOException {
        try (JournalFiles.OpenFile mark = files.open(directory.resolve(UNFINISHED), true)) {
            mark.write(StandardCharsets.UTF_8.encode(aside.toAbsolutePath().toString()), 0);
            mark.sync(true);
        }
        files.syncDirectory(directory);
    }

    private Repair cut(Path aside, Records lost) throws IOException {
        Path earlier = earlierRepair();
        List<FileState> states = examine((index, record) -> {});
        List<Damage> damages = new ArrayList<>();
        states.forEach(state -> {
            if (state.damage() != null) {
                damages.add(state.damage());
            }
        });
        List<FileState> segments = segments(states);
        long snapshot = states.stream()
                .filter(state -> state.kind() == Kind.SNAPSHOT && state.damage() == null)
                .mapToLong(FileState::lastIndex)
                .max()
                .orElse(0);
        if (earlier == null && damages.isEmpty() && reaches(snapshot, segments)) {
            return new Repair(null, null, List.of(), List.of(), null, 0, List.of(), 0, 0, null);
        }
        long firstKept = segments.isEmpty() ? 0 : segments.get(0).firstIndex();
        if (firstKept > snapshot + 1) {
            throw FilePrefix.damaged(
                    segments.get(0).file(),
                    32,
                    "records " + (snapshot + 1) + " to " + (firstKept - 1)
                            + " are missing before it, which no cut can mend");
        }
        copy(aside, states);
        if (earlier == null) {
            begun(aside);
        }
        LostHeaders headers = LostHeaders.of(new ReadOnly(files), states);
        Cut cut = new Cut(snapshot, lost);
        for (FileState state : states) {
            if (state.kind() == Kind.SNAPSHOT && state.damage() != null) {
                cut.remove(state.file());
            }
        }
        List<FileState> replaced = replaced(segments, snapshot, headers);
        if (!replaced.isEmpty()) {
            for (FileState state : replaced) {
                cut.remove(state.file());
            }
            // What looked out of reach behind a damage in one of these may be as it should.
            segments = segments(examine((index, record) -> {}));
        }
        while (cut.mended(segments, headers)) {
            segments = segments(examine((index, record) -> {}));
        }
        for (FileState state : segments) {
            cut.segment(state);
        }
        if (cut.lastKept < snapshot) {
            cut.beginAnew(segments);
        }
        files.syncDirectory(directory);
        return new Repair(
                aside,
                earlier,
                damages,
                List.copyOf(cut.skippedIn),
                cut.file,
                cut.at,
                List.copyOf(cut.removed),
                cut.begunAt,
                cut.damaged ? cut.lostFrom() : 0,
                null);
    }

    private static List<FileState> segments(List<FileState> states) {
        return states.stream().filter(state -> state.kind() == Kind.SEGMENT).toList();
    }

    private static boolean reaches(long snapshot, List<FileState> segments) {
        return segments.stream()
                        .filter(state -> state.damage() == null || state.firstIndex() > 0)
                        .mapToLong(FileState::lastIndex)
                        .max()
                        .orElse(0)
                >= snapshot;
    }

    /** The segments before the one in which a start begins to read: the snapshot holds all of them, so what is wrong with them is of no account. */
    private List<FileState> replaced(List<FileState> segments, long snapshot, LostHeaders headers) throws IOException {
        int start = segments.size() - 1;
        while (start > 0 && firstIndex(segments.get(start).file(), headers) > snapshot + 1) {
            start--;
        }
        return segments.subList(0, Math.max(start, 0));
    }

    private long firstIndex(Path segment, LostHeaders headers) throws IOException {
        try (JournalFiles.OpenFile file = new ReadOnly(files).open(segment, false)) {
            LostHeaders.Found found = headers.find(segment, number(segment), file);
            return found == null ? Long.MAX_VALUE : found.header().firstIndex();
        }
    }

    private void copy(Path aside, List<FileState> states) throws IOException {
        if (Files.exists(aside)) {
            throw new TxnException(ErrorCode.DATA_DIR_UNUSABLE, null, "directory", aside, "cause", "it exists already");
        }
        files.createDirectories(aside);
        for (FileState state : states) {
            Path to =
                    aside.resolve(java.util.Objects.requireNonNull(state.file().getFileName()));
            Files.copy(state.file(), to);
            try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
        }
        files.syncDirectory(aside);
    }

    /** Cuts the segments one after the other. */
    private final class Cut {

        private final long snapshot;
        private final Records lost;
        private final List<Path> removed = new ArrayList<>();
        private final List<Path> skippedIn = new ArrayList<>();
        private boolean damaged;
        private @Nullable Path file;
        private long at;
        private long lastKept;
        private long begunAt;

        Cut(long snapshot, Records lost) {
            this.snapshot = snapshot;
            this.lost = lost;
        }

        long lostFrom() {
            return Math.max(lastKept, snapshot) + 1;
        }

        void remove(Path path) throws IOException {
            files.delete(path);
            removed.add(path);
        }

        /** Mends the first damaged segment, as far as nothing is lost by that; returns whether it did, and so it should be looked at again. */
        boolean mended(List<FileState> segments, LostHeaders headers) throws IOException {
            long lastBefore = 0;
            for (FileState state : segments) {
                if (state.damage() != null) {
                    boolean first = state == segments.get(0);
                    return state.firstIndex() == 0 && mendHeader(state, first ? 0 : lastBefore, headers)
                            || first && skipWhatTheSnapshotHas(state, headers);
                }
                lastBefore = state.lastIndex();
            }
            return false;
        }

        /** All that a header says can be told from elsewhere, so where nothing else is damaged nothing is lost. */
        private boolean mendHeader(FileState state, long lastBefore, LostHeaders headers) throws IOException {
            try (JournalFiles.OpenFile open = files.open(state.file(), false)) {
                LostHeaders.Found found = headers.find(state.file(), number(state.file()), open);
                if (found == null || !found.lost() || !found.followed()) {
                    return false;
                }
                long begins = found.header().firstIndex();
                if (lastBefore == 0 ? begins > snapshot + 1 : begins != lastBefore + 1) {
                    return false;
                }
                open.write(found.header().toBytes(), 0);
                open.sync(true);
            }
            return true;
        }

        /**
         * Makes the first segment begin behind its damage, when the snapshot has all records up to there: frames are chained to each other and not to a place in
         * the file, so what stands behind goes on as it is. Returns whether it does.
         */
        private boolean skipWhatTheSnapshotHas(FileState state, LostHeaders headers) throws IOException {
            Path made = directory.resolve(RoomMaker.SPARE_PREFIX + "repair.tmp");
            try (JournalFiles.OpenFile open = files.open(state.file(), false)) {
                LostHeaders.Found found = headers.find(state.file(), number(state.file()), open);
                if (found == null) {
                    return false;
                }
                SegmentHeader header = found.header();
                SegmentCursor cursor = cursor(state.file(), header, open);
                int from = SegmentHeader.BYTES - Frames.ALIGNMENT;
                if (!found.lost()) {
                    readUpToTheDamage(cursor);
                    from = cursor.position();
                }
                if (!cursor.skipToNextFrame(from) || cursor.nextIndex() > snapshot + 1) {
                    return false;
                }
                try (JournalFiles.OpenFile shorter = files.open(made, true)) {
                    RoomMaker.fill(shorter, 0, header.fileBytes());
                    shorter.write(cursor.from(cursor.position()), SegmentHeader.BYTES);
                    shorter.write(cursor.headerFromHere().toBytes(), 0);
                    shorter.sync(true);
                }
            }
            files.rename(made, state.file());
            files.syncDirectory(directory);
            skippedIn.add(state.file());
            return true;
        }

        private SegmentCursor cursor(Path path, SegmentHeader header, JournalFiles.OpenFile open) throws IOException {
            return SegmentCursor.open(
                    new Segment(header.segmentId(), header.firstIndex(), path),
                    header,
                    new Shortened(open, Math.min(open.size(), header.fileBytes())),
                    ByteBuffer.allocate(0));
        }

        void segment(FileState state) throws IOException {
            if (!damaged && state.damage() == null) {
                lastKept = state.lastIndex();
                return;
            }
            boolean isFirst = !damaged;
            damaged = true;
            int position = 0;
            int length = 0;
            try (JournalFiles.OpenFile open = files.open(state.file(), false)) {
                ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
                open.read(bytes, 0);
                SegmentHeader header = SegmentHeader.read(state.file(), bytes.flip());
                SegmentCursor cursor = cursor(state.file(), header, open);
                if (isFirst && state.firstIndex() > 0) {
                    readUpToTheDamage(cursor);
                    position = cursor.position();
                    length = header.fileBytes();
                    lastKept = cursor.nextIndex() - 1;
                    at = position;
                    file = state.file();
                }
                tellLost(cursor, isFirst && position > 0 ? position : SegmentHeader.BYTES - Frames.ALIGNMENT);
                if (position > 0) {
                    RoomMaker.fill(open, position, length);
                    open.sync(true);
                }
            } catch (TxnException e) {
                position = 0; // its header cannot be read, so nothing in it can
            }
            if (position == 0) {
                remove(state.file());
            } else if (Files.size(state.file()) > length) {
                try (FileChannel channel = FileChannel.open(state.file(), StandardOpenOption.WRITE)) {
                    channel.truncate(length).force(true);
                }
            }
        }

        private void readUpToTheDamage(SegmentCursor cursor) {
            try {
                cursor.read((index, record) -> {});
            } catch (TxnException e) {
                // a frame that is whole but in the wrong place: the cursor stands before it
            }
        }

        private void tellLost(SegmentCursor cursor, int from) {
            int after = from;
            while (cursor.skipToNextFrame(after)) {
                after = cursor.position();
                try {
                    cursor.read((index, record) -> {
                        if (index >= lostFrom()) {
                            lost.record(index, record);
                        }
                    });
                    after = Math.max(after, cursor.position() - Frames.ALIGNMENT);
                } catch (TxnException e) {
                    after = Math.max(after, cursor.position());
                }
            }
        }

        /** The snapshot holds more than what is left of the log: the log goes on behind it. */
        void beginAnew(List<FileState> segments) throws IOException {
            long lastNumber = 0;
            for (FileState state : segments) {
                lastNumber = Math.max(lastNumber, number(state.file()));
                if (!removed.contains(state.file())) {
                    remove(state.file());
                }
            }
            file = null;
            Path newest = directory.resolve(SnapshotFile.fileName(snapshot));
            long journalId;
            try (JournalFiles.OpenFile open = files.open(newest, false)) {
                journalId = SnapshotFile.verify(newest, open, snapshot);
            }
            int bytes = FileJournalOptions.DEFAULTS.segmentBytes();
            SegmentHeader header = new SegmentHeader(journalId, lastNumber + 1, snapshot + 1, 0, bytes);
            Path made = directory.resolve(RoomMaker.SPARE_PREFIX + "repair.tmp");
            try (JournalFiles.OpenFile open = files.open(made, true)) {
                RoomMaker.fill(open, 0, bytes);
                open.write(header.toBytes(), 0);
                open.sync(true);
            }
            files.rename(made, directory.resolve(SegmentHeader.fileName(lastNumber + 1)));
            begunAt = snapshot + 1;
            damaged = true;
        }
    }

    private TxnException unreadable(IOException e) {
        return new TxnException(ErrorCode.DATA_DIR_UNUSABLE, e, "directory", directory, "cause", e);
    }

    /** A file that is read up to a length. */
    private record Shortened(JournalFiles.OpenFile file, long length) implements JournalFiles.OpenFile {

        @Override
        public long size() {
            return length;
        }

        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            file.write(bytes, position);
        }

        @Override
        public void read(ByteBuffer into, long position) throws IOException {
            file.read(into, position);
        }

        @Override
        public void sync(boolean metadata) throws IOException {
            file.sync(metadata);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Takes every change for done and makes none. */
    private record ReadOnly(DiskFiles files) implements JournalFiles {

        @Override
        public void createDirectories(Path directory) {}

        @Override
        public List<String> list(Path directory) throws IOException {
            return files.list(directory);
        }

        @Override
        public OpenFile open(Path file, boolean create) throws IOException {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
            return new OpenFile() {
                @Override
                public long size() throws IOException {
                    return channel.size();
                }

                @Override
                public void write(ByteBuffer bytes, long position) {
                    bytes.position(bytes.limit());
                }

                @Override
                public void read(ByteBuffer into, long position) throws IOException {
                    long at = position;
                    for (int n = 0; into.hasRemaining() && n >= 0; at += n) {
                        n = channel.read(into, at);
                    }
                }

                @Override
                public void sync(boolean metadata) {}

                @Override
                public void close() throws IOException {
                    channel.close();
                }
            };
        }

        @Override
        public void rename(Path from, Path to) {}

        @Override
        public void delete(Path file) {}

        @Override
        public void syncDirectory(Path directory) {}
    }
}
