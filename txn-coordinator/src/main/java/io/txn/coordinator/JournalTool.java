package io.txn.coordinator;

import io.txn.coordinator.engine.EntryReader;
import io.txn.coordinator.journal.OfflineJournal;
import io.txn.coordinator.journal.OfflineJournal.FileState;
import io.txn.coordinator.machine.Shard;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Looks at the journal of a coordinator that is not running, prints what it finds, and cuts a damaged one when told to. */
public final class JournalTool {

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private final Path dataDir;
    private final OfflineJournal journal;
    private final PrintStream out;

    /** @throws TxnException DATA_DIR_UNUSABLE when there is no journal in {@code dataDir} */
    public JournalTool(Path dataDir, PrintStream out) {
        this.dataDir = dataDir;
        this.journal = new OfflineJournal(dataDir.resolve("journal"));
        this.out = out;
    }

    /** Verifies every file, every entry and their order. Changes nothing; true when a coordinator would start on it with nothing missing. */
    public boolean check() {
        boolean sound = true;
        for (FileState file : journal.examine((index, record) -> {})) {
            sound &= file.damage() == null;
            out.println(line(file));
        }
        EntryReader reader = new EntryReader();
        try {
            long last = journal.read(reader);
            Shard state = reader.state();
            out.println("readable up to record " + last + ": transactions " + state.size() + ", unfinished "
                    + state.unfinished() + ", needing attention " + state.needingAttention() + ", locked rows "
                    + state.locks().size());
            if (reader.skipped() > 0) {
                out.println("skipped entries of replaced writers: " + reader.skipped());
            }
        } catch (TxnException e) {
            if (e.code() != ErrorCode.JOURNAL_DAMAGED) {
                throw e;
            }
            sound = false;
            out.println("a coordinator does not start on it: " + e.getMessage());
        }
        out.println(sound ? "no damage" : "DAMAGED");
        return sound;
    }

    /**
     * Prints files and, when wanted, what the entries say.
     *
     * @param xid only entries about this one; null: all
     */
    public void list(boolean entries, @Nullable Xid xid) {
        Long number = xid == null ? null : xid.number();
        List<FileState> files = journal.examine((index, record) -> {
            if (entries || number != null) {
                EntryReader.lines(index, record, number).forEach(out::println);
            }
        });
        files.forEach(file -> out.println(line(file)));
    }

    /**
     * Copies the files aside, cuts the log at its first damage, drops damaged snapshots, prints what was lost, and sees to it that ids that were lost are not
     * given out again.
     *
     * @param random where the new range of ids comes from; not to be guessed or repeated
     * @return whether the journal is sound now
     * @throws TxnException DATA_DIR_IN_USE while a coordinator uses the directory; JOURNAL_DAMAGED when cutting cannot help
     */
    public boolean cutAtDamage(Instant now, RandomGenerator random) {
        Path aside = dataDir.resolve("journal-before-repair-" + STAMP.format(now));
        OfflineJournal.Records lost = (index, record) -> {
            out.println("lost:");
            EntryReader.lines(index, record, null).forEach(line -> out.println("  " + line));
        };
        OfflineJournal.Repair repair = journal.cutAtDamage(aside, lost, cut -> EntryReader.renewIds(cut, now, random));
        if (repair.copies() == null) {
            out.println("nothing is damaged, nothing was changed");
            return true;
        }
        out.println("the files as they were: " + repair.copies());
        if (repair.earlier() != null) {
            out.println("an earlier repair was not finished; the files as they were before that: " + repair.earlier());
        }
        repair.damages()
                .forEach(damage -> out.println(
                        "damage: file=" + damage.file() + " offset=" + damage.offset() + " reason=" + damage.reason()));
        repair.skippedIn()
                .forEach(file -> out.println(
                        "kept what stands behind a damage, because the snapshot has everything before it: file="
                                + file));
        if (repair.cutFile() != null) {
            out.println("cut: file=" + repair.cutFile() + " from offset " + repair.cutAt());
        }
        repair.removed().forEach(file -> out.println("removed: file=" + file));
        if (repair.begunAt() > 0) {
            out.println("the log goes on behind the snapshot, with record " + repair.begunAt());
        }
        out.println(
                repair.lostFrom() == 0
                        ? "no record is lost"
                        : "lost: every record from " + repair.lostFrom()
                                + " on; those that could be read are printed above, the damaged ones could not");
        if (repair.unfinished() != null) {
            out.println(
                    "NOT FINISHED: ids that were lost could be given out again, because no new ones could be begun. No coordinator starts on it"
                            + " before the cause is removed and the repair repeated: "
                            + repair.unfinished().getMessage());
            return false;
        }
        return check();
    }

    private static String line(FileState file) {
        String text =
                switch (file.kind()) {
                    case SEGMENT ->
                        file.lastIndex() == 0
                                ? "segment  unreadable"
                                : "segment  records " + file.firstIndex() + " to " + file.lastIndex();
                    case SNAPSHOT ->
                        file.lastIndex() == 0 ? "snapshot unreadable" : "snapshot of record " + file.lastIndex();
                };
        text += " bytes=" + file.bytes() + " file=" + file.file();
        if (file.damage() != null) {
            text += " DAMAGED offset=" + file.damage().offset() + " reason="
                    + file.damage().reason();
        }
        return file.tornAt() < 0 ? text : text + " (the last write, at offset " + file.tornAt() + ", was not finished)";
    }
}
