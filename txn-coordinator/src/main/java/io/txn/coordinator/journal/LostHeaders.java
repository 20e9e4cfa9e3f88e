package io.txn.coordinator.journal;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Headers of segments, also where they are damaged: a header says nothing that is not told elsewhere. The journal's id stands in every other file, the number in
 * the name, and where the segment begins in its first frame, whose checksum confirms all of it. Not thread-safe.
 */
final class LostHeaders {

    private final Set<Long> journalIds = new LinkedHashSet<>();
    private int fileBytes;

    /**
     * @param header as it stands, or as it must have been
     * @param lost whether it is damaged
     * @param followed whether the frame it names stands right behind it
     */
    record Found(SegmentHeader header, boolean lost, boolean followed) {}

    /** @param states all files of the journal */
    static LostHeaders of(JournalFiles files, List<OfflineJournal.FileState> states) throws IOException {
        LostHeaders headers = new LostHeaders();
        for (OfflineJournal.FileState state : states) {
            try (JournalFiles.OpenFile file = files.open(state.file(), false)) {
                if (state.kind() == OfflineJournal.Kind.SEGMENT) {
                    SegmentHeader header = read(state.file(), file);
                    if (header != null) {
                        headers.journalIds.add(header.journalId());
                        headers.fileBytes = Math.max(headers.fileBytes, header.fileBytes());
                    }
                } else if (state.damage() == null) {
                    headers.journalIds.add(SnapshotFile.verify(state.file(), file, state.lastIndex()));
                }
            }
        }
        if (headers.fileBytes == 0) {
            headers.fileBytes = FileJournalOptions.DEFAULTS.segmentBytes();
        }
        return headers;
    }

    private static @Nullable SegmentHeader read(Path segment, JournalFiles.OpenFile file) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(SegmentHeader.BYTES);
        file.read(bytes, 0);
        try {
            return SegmentHeader.read(segment, bytes.flip());
        } catch (TxnException e) {
            if (e.code() != ErrorCode.JOURNAL_DAMAGED) {
                throw e;
            }
            return null;
        }
    }

    /** Null: it is damaged, and no frame tells what it was. */
    @Nullable
    Found find(Path segment, long number, JournalFiles.OpenFile file) throws IOException {
        SegmentHeader there = read(segment, file);
        if (there != null) {
            return new Found(there, false, true);
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(file.size(), Integer.MAX_VALUE - Frames.ALIGNMENT));
        file.read(bytes, 0);
        bytes.flip();
        for (long journalId : journalIds) {
            for (int at = SegmentHeader.BYTES; at < bytes.limit(); at += Frames.ALIGNMENT) {
                Frames.Header frame = Frames.read(bytes, at, journalId, number);
                if (frame != null) {
                    // Not shorter than the others: a file that was cut short has to be seen as one.
                    SegmentHeader made = new SegmentHeader(
                            journalId,
                            number,
                            frame.firstIndex(),
                            frame.previousCrc(),
                            Math.max(bytes.limit(), fileBytes));
                    return new Found(made, true, at == SegmentHeader.BYTES);
                }
            }
        }
        return null;
    }
}
