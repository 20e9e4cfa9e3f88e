package io.txn.coordinator.journal;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * A disk that keeps its promises and not one more: what was not synced is, after a power loss, there or not, sector by sector and name by name,
 * as chance decides. Any operation, counted from 0, can be made to fail once, to fail with everything after it, or to be the end of the process or of the
 * machine. Only the lock lives on the real disk.
 */
final class MemoryDisk implements JournalFiles {

    private static final int SECTOR = 512;

    enum Fault {
        /** The operation fails with an IOException, half done if it writes; later ones work. */
        ONCE,
        /** This and every later operation fails. */
        FOR_GOOD,
        /** The end of the process or of the machine: this operation is half done, and no later one happens. */
        END
    }

    private final Map<String, Inode> names = new TreeMap<>();
    private final Map<String, Inode> durableNames = new TreeMap<>();
    private final List<NameChange> unsynced = new ArrayList<>();
    private int operations;
    private int seals;
    private int faultAt = Integer.MAX_VALUE;
    private Fault fault = Fault.ONCE;

    private static final class Inode {
        byte[] now = new byte[0];
        byte[] durable = new byte[0];
        final BitSet dirty = new BitSet();
    }

    private interface NameChange {
        void applyTo(Map<String, Inode> names);
    }

    /** Makes operation number {@code at} fail; to be said before the work begins. */
    MemoryDisk failing(int at, Fault how) {
        faultAt = at;
        fault = how;
        return this;
    }

    synchronized int operations() {
        return operations;
    }

    /** How many seals were written, all of them or in part. */
    synchronized int seals() {
        return seals;
    }

    /** The same disk mended: no more faults. */
    synchronized MemoryDisk mended() {
        faultAt = Integer.MAX_VALUE;
        return this;
    }

    /** The disk as the next process finds it after the machine lost power at this moment. */
    synchronized MemoryDisk afterPowerLoss(RandomGenerator random) {
        MemoryDisk next = new MemoryDisk();
        Map<String, Inode> left = new TreeMap<>(durableNames);
        for (NameChange change : unsynced) {
            if (random.nextBoolean()) {
                change.applyTo(left);
            }
        }
        Map<Inode, Inode> copies = new IdentityHashMap<>();
        left.forEach((name, inode) -> {
            Inode copy = copies.computeIfAbsent(inode, old -> remains(old, random));
            next.names.put(name, copy);
            next.durableNames.put(name, copy);
        });
        return next;
    }

    /**
     * Every disk that the next process may find after the machine lost power at this moment: each unsynced change of a name happened or not, each unsynced
     * sector is there, or not, or half of it. When those are more than {@code most}, as many of them as chance chooses.
     */
    synchronized void everyPowerLoss(int most, RandomGenerator random, Consumer<MemoryDisk> each) {
        List<Inode> inodes = dirtyInodes();
        int sectors =
                inodes.stream().mapToInt(inode -> inode.dirty.cardinality()).sum();
        double outcomes = Math.pow(2, unsynced.size() + inodes.size()) * Math.pow(3, sectors);
        for (int outcome = 0; outcome < Math.min(most, outcomes); outcome++) {
            int number = outcome;
            int[] rest = {number};
            IntUnaryOperator choice = outcomes <= most ? of -> digit(rest, of) : random::nextInt;
            each.accept(afterPowerLoss(inodes, choice));
        }
    }

    private static int digit(int[] rest, int base) {
        int digit = rest[0] % base;
        rest[0] /= base;
        return digit;
    }

    /** What is being made ahead does not count: it is thrown away whatever it holds. */
    private List<Inode> dirtyInodes() {
        Set<Inode> all = Collections.newSetFromMap(new IdentityHashMap<>());
        List.of(names, durableNames)
                .forEach(some -> some.forEach((name, inode) -> {
                    if (!name.endsWith(".tmp")
                            && (!inode.dirty.isEmpty() || inode.now.length != inode.durable.length)) {
                        all.add(inode);
                    }
                }));
        return List.copyOf(all);
    }

    private MemoryDisk afterPowerLoss(List<Inode> inodes, IntUnaryOperator choice) {
        Map<String, Inode> left = new TreeMap<>(durableNames);
        for (NameChange change : unsynced) {
            if (choice.applyAsInt(2) == 0) {
                change.applyTo(left);
            }
        }
        Map<Inode, Inode> copies = new IdentityHashMap<>();
        for (Inode inode : inodes) {
            byte[] bytes =
                    Arrays.copyOf(inode.durable, choice.applyAsInt(2) == 0 ? inode.now.length : inode.durable.length);
            inode.dirty.stream().forEach(sector -> {
                int start = Math.min(sector * SECTOR, bytes.length);
                int part = List.of(SECTOR, 0, SECTOR / 2).get(choice.applyAsInt(3));
                int length = Math.min(part, Math.min(inode.now.length, bytes.length) - start);
                System.arraycopy(inode.now, start, bytes, start, Math.max(0, length));
            });
            copies.put(inode, durable(bytes));
        }
        MemoryDisk next = new MemoryDisk();
        left.forEach((name, inode) -> {
            Inode copy = copies.computeIfAbsent(inode, old -> durable(old.durable.clone()));
            next.names.put(name, copy);
            next.durableNames.put(name, copy);
        });
        return next;
    }

    private static Inode durable(byte[] bytes) {
        Inode inode = new Inode();
        inode.now = bytes;
        inode.durable = bytes.clone();
        return inode;
    }

    private static Inode remains(Inode old, RandomGenerator random) {
        byte[] bytes = Arrays.copyOf(old.durable, random.nextBoolean() ? old.now.length : old.durable.length);
        int style = random.nextInt(4); // all unsynced sectors lost, all written, or each as chance has it
        copyDirty(old, bytes, sector -> style != 0 && (style == 1 || random.nextBoolean()));
        return durable(bytes);
    }

    private static void copyDirty(Inode from, byte[] to, IntPredicate chosen) {
        for (int sector = from.dirty.nextSetBit(0); sector >= 0; sector = from.dirty.nextSetBit(sector + 1)) {
            int start = sector * SECTOR;
            int end = Math.min(Math.min(start + SECTOR, from.now.length), to.length);
            if (chosen.test(sector) && start < end) {
                System.arraycopy(from.now, start, to, start, end - start);
            }
        }
    }

    /** Counts an operation; true when it must fail. */
    private boolean fails() {
        int number = operations++;
        return number == faultAt || (number > faultAt && fault != Fault.ONCE);
    }

    private static IOException trouble() {
        return new IOException("No space left on device (part of the test)");
    }

    @Override
    public void createDirectories(Path directory) throws IOException {
        Files.createDirectories(directory);
    }

    @Override
    public synchronized List<String> list(Path directory) throws IOException {
        if (fails()) {
            throw trouble();
        }
        return new ArrayList<>(names.keySet());
    }

    @Override
    public synchronized OpenFile open(Path file, boolean create) throws IOException {
        if (fails()) {
            throw trouble();
        }
        String name = file.getFileName().toString();
        Inode inode = names.get(name);
        if (create) {
            Inode fresh = new Inode();
            change(all -> all.put(name, fresh));
            inode = fresh;
        }
        if (inode == null) {
            throw new FileNotFoundException(name);
        }
        return new MemoryFile(inode);
    }

    private void change(NameChange change) {
        change.applyTo(names);
        unsynced.add(change);
    }

    @Override
    public synchronized void rename(Path from, Path to) throws IOException {
        if (fails()) {
            throw trouble();
        }
        Inode inode = names.get(from.getFileName().toString());
        if (inode == null) {
            throw new FileNotFoundException(from.toString());
        }
        change(all -> {
            all.values().removeIf(other -> other == inode);
            all.put(to.getFileName().toString(), inode);
        });
    }

    @Override
    public synchronized void delete(Path file) throws IOException {
        if (fails()) {
            throw trouble();
        }
        change(all -> all.remove(file.getFileName().toString()));
    }

    @Override
    public synchronized void syncDirectory(Path directory) throws IOException {
        if (fails()) {
            throw trouble();
        }
        durableNames.clear();
        durableNames.putAll(names);
        unsynced.clear();
    }

    private final class MemoryFile implements OpenFile {

        private final Inode inode;

        MemoryFile(Inode inode) {
            this.inode = inode;
        }

        @Override
        public long size() throws IOException {
            synchronized (MemoryDisk.this) {
                return inode.now.length;
            }
        }

        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            synchronized (MemoryDisk.this) {
                boolean fails = fails();
                int length = fails ? bytes.remaining() / 2 : bytes.remaining();
                if (fails && fault != Fault.ONCE && operations - 1 > faultAt) {
                    length = 0; // the end was before
                }
                int at = (int) position;
                if (bytes.remaining() == Frames.HEADER && at >= SegmentHeader.BYTES) {
                    seals++;
                }
                if (inode.now.length < at + length) {
                    inode.now = Arrays.copyOf(inode.now, at + length);
                }
                bytes.get(inode.now, at, length);
                if (length > 0) {
                    inode.dirty.set(at / SECTOR, (at + length - 1) / SECTOR + 1);
                }
                if (fails) {
                    throw trouble();
                }
            }
        }

        @Override
        public void read(ByteBuffer into, long position) throws IOException {
            synchronized (MemoryDisk.this) {
                if (fails()) {
                    throw trouble();
                }
                int n = (int) Math.max(0, Math.min(into.remaining(), inode.now.length - position));
                into.put(inode.now, (int) position, n);
            }
        }

        @Override
        public void sync(boolean metadata) throws IOException {
            synchronized (MemoryDisk.this) {
                if (fails()) {
                    if (fault != Fault.END) {
                        // As Linux does it: the pages are called clean now, and a second sync would claim success.
                        inode.dirty.clear();
                    }
                    throw trouble();
                }
                // Only dirty sectors are written: what a failed sync called clean stays away from the disk.
                inode.durable = Arrays.copyOf(inode.durable, inode.now.length);
                copyDirty(inode, inode.durable, sector -> true);
                inode.dirty.clear();
            }
        }

        @Override
        public void close() {}
    }
}
