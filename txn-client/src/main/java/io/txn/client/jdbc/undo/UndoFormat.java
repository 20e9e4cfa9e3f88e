package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Table;
import io.txn.client.jdbc.dialect.Value;
import io.txn.protocol.BranchId;
import io.txn.protocol.Xid;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of an undo record, version 1; the layout stands in {@code docs/at.md}. Types are a closed set, every length is checked against what
 * is left, and a checksum covers everything, so that damaged or foreign bytes are told apart from a record, never half understood.
 */
public final class UndoFormat {

    /** What the undo table's {@code context} says about records of this format. */
    public static final String CONTEXT = "serializer=txn1";

    private static final byte[] MAGIC = "TXU1".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;

    private static final int PLAIN = 0;
    private static final int DEFLATED = 1;
    /** Shorter ones go as they are. */
    public static final int COMPRESSED_FROM = 4_096;
    /** No byte of the format stands for more. */
    private static final long MOST_DEFLATED = 1_040;

    /** More than counts, kinds and the lengths of some names take. */
    private static final int HEAD = 64;

    /** For a record of a few rows. */
    private static final int FIRST_ROOM = 512;

    /** What stands before a value. */
    private static final int SIZED = 6;

    private static final int NO_TYPE = -1;
    private static final int NULL = 0;
    private static final int UTF8 = 1;
    private static final int BYTES = 2;
    private static final int UTF16 = 3;

    private static final int BEFORE = 1;
    private static final int AFTER = 2;
    private static final int MAINTAINED = 1;
    private static final int FOLLOWING = 0x80;
    private static final int WHOLE = 1;

    private UndoFormat() {}

    /** Bytes that are no undo record of this version, and why. */
    public static final class UnreadableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnreadableException(String reason) {
            super(reason);
        }
    }

    /** The record as bytes. */
    public static byte[] encode(UndoRecord undo) {
        return sealed(undo.xid(), undo.branch(), body(undo.changes(), undo.reliances(), COMPRESSED_FROM));
    }

    /**
     * What a record says of its changes and of what they rely on; its length tells that of the record, before its branch has an id.
     *
     * @param compressedFrom how many bytes are compressed, where that makes it shorter
     */
    public static byte[] body(List<TableChange> changes, List<Reliance> reliances, int compressedFrom) {
        Writer plain = new Writer(FIRST_ROOM);
        plain.octet(PLAIN);
        plain.varint(changes.size());
        for (TableChange change : changes) {
            write(plain, change);
        }
        writeReliances(plain, changes, reliances);
        int length = plain.size() - 1;
        if (length < compressedFrom) {
            return plain.bytes();
        }
        byte[] deflated = deflated(plain.bytes, 1, length);
        if (deflated.length >= length) {
            return plain.bytes();
        }
        Writer body = new Writer(deflated.length + SIZED);
        body.octet(DEFLATED);
        body.varint(length);
        body.raw(deflated);
        return body.bytes();
    }

    /** How long the record with this body will be. */
    public static int length(Xid xid, byte[] body) {
        Writer head = new Writer(FIRST_ROOM);
        head.string(xid.value());
        return MAGIC.length + 1 + head.size() + 8 + body.length + 4;
    }

    /**
     * What a record of these changes is no longer than, told without making it.
     *
     * @param tables what the changes rely on
     */
    public static long mostLength(Xid xid, List<TableChange> changes, Collection<Table> tables) {
        long most = HEAD + most(xid.value());
        for (TableChange change : changes) {
            most += HEAD + most(change.schema()) + most(change.table()) + most(change.lockName());
            for (ImageColumn column : change.columns()) {
                most += HEAD + most(column.name()) + most(column.codec());
            }
            for (RowChange row : change.rows()) {
                most += 1 + most(row.before()) + most(row.after());
            }
        }
        for (Table table : tables) {
            int acting = table.triggers().size()
                    + table.referencedBy().size()
                    + table.columns().size();
            most += HEAD + most(table.schema()) + most(table.name()) + 4L * acting;
        }
        return most;
    }

    private static long most(@Nullable List<Value> row) {
        if (row == null) {
            return 0;
        }
        long most = 0;
        for (Value value : row) {
            most += SIZED;
            if (value instanceof Value.Text text) {
                most += most(text.text());
            } else if (value instanceof Value.Bytes bytes) {
                most += bytes.bytes().length;
            }
        }
        return most;
    }

    /** In UTF-8 a character takes three bytes at most, half a pair two. */
    private static long most(String text) {
        return 3L * text.length();
    }

    /** The record of a branch with this body. */
    public static byte[] sealed(Xid xid, BranchId branch, byte[] body) {
        byte[] name = xid.value().getBytes(StandardCharsets.UTF_8);
        Writer out =
                new Writer(MAGIC.length + 1 + Writer.varintLength(name.length) + name.length + 8 + body.length + 4);
        out.raw(MAGIC);
        out.octet(VERSION);
        out.sized(name);
        out.raw(ByteBuffer.allocate(8).putLong(branch.value()).array());
        out.raw(body);
        CRC32C checksum = new CRC32C();
        checksum.update(out.bytes, 0, out.size);
        out.raw(ByteBuffer.allocate(4).putInt((int) checksum.getValue()).array());
        return out.bytes();
    }

    private static byte[] deflated(byte[] plain, int from, int length) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(length / 4);
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try (DeflaterOutputStream deflating = new DeflaterOutputStream(out, deflater, 8_192)) {
            deflating.write(plain, from, length);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            deflater.end();
        }
        return out.toByteArray();
    }

    /** The body as it was before it was compressed. */
    private static ByteBuffer inflated(Reader in) throws UnreadableException {
        long length = in.number();
        byte[] deflated = new byte[in.buffer.remaining()];
        in.buffer.get(deflated);
        if (length > MOST_DEFLATED * (deflated.length + 1)) {
            throw new UnreadableException("it names a length that cannot have been compressed so far");
        }
        byte[] plain = new byte[(int) length];
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(deflated);
            int at = 0;
            while (at < plain.length) {
                int read = inflater.inflate(plain, at, plain.length - at);
                if (read == 0) {
                    throw new UnreadableException("it ends too early");
                }
                at += read;
            }
            if (inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
                throw new UnreadableException("it goes on after its end");
            }
        } catch (DataFormatException e) {
            throw new UnreadableException("it was not compressed as it says");
        } finally {
            inflater.end();
        }
        return ByteBuffer.wrap(plain);
    }

    private static void write(Writer out, TableChange change) {
        out.octet(change.kind().ordinal() | (change.following() ? FOLLOWING : 0));
        out.string(change.schema());
        out.string(change.table());
        out.string(change.lockName());
        out.varint(change.columns().size());
        for (ImageColumn column : change.columns()) {
            out.string(column.name());
            out.string(column.codec());
            out.varint(column.keyPosition() + 1);
            out.octet(column.maintained() ? MAINTAINED : 0);
        }
        out.varint(change.rows().size());
        for (RowChange row : change.rows()) {
            out.octet((row.before() == null ? 0 : BEFORE) | (row.after() == null ? 0 : AFTER));
            write(out, row.before());
            write(out, row.after());
        }
    }

    /** A table that stands in a change already is named by the number of that change, the first one being 1. */
    private static void writeReliances(Writer out, List<TableChange> changes, List<Reliance> reliances) {
        out.varint(reliances.size());
        for (Reliance reliance : reliances) {
            int change = 0;
            for (int i = changes.size(); i > 0; i--) {
                if (isOf(reliance, changes.get(i - 1))) {
                    change = i;
                }
            }
            out.varint(change);
            if (change == 0) {
                out.string(reliance.schema());
                out.string(reliance.table());
            }
            out.octet(reliance.whole() ? WHOLE : 0);
            out.varint(reliance.known().size());
            if (!reliance.known().isEmpty()) {
                reliance.known().stream()
                        .sorted()
                        .forEach(known ->
                                out.raw(ByteBuffer.allocate(4).putInt(known).array()));
            }
        }
    }

    private static boolean isOf(Reliance reliance, TableChange change) {
        return reliance.schema().equals(change.schema()) && reliance.table().equals(change.table());
    }

    private static Reliance readReliance(Reader in, List<TableChange> changes) throws UnreadableException {
        long number = in.number();
        if (number > changes.size()) {
            throw new UnreadableException("it relies on the table of a change that is not there");
        }
        TableChange change = number == 0 ? null : changes.get((int) number - 1);
        String schema = change == null ? in.string() : change.schema();
        String table = change == null ? in.string() : change.table();
        boolean whole = in.octet() == WHOLE;
        int count = in.count();
        Set<Integer> known = new HashSet<>();
        for (int i = 0; i < count; i++) {
            known.add(in.buffer.getInt());
        }
        return new Reliance(schema, table, whole, known);
    }

    private static void write(Writer out, @Nullable List<Value> row) {
        if (row != null) {
            row.forEach(value -> write(out, value));
        }
    }

    private static void write(Writer out, Value value) {
        if (value instanceof Value.Text text) {
            writeText(out, text.text());
        } else if (value instanceof Value.Bytes bytes) {
            out.octet(BYTES);
            out.sized(bytes.bytes());
        } else if (value instanceof Value.Null) {
            out.octet(NULL);
        } else {
            throw new AssertionError(value);
        }
    }

    /** UTF-8, unless the text holds half a surrogate pair, which UTF-8 would silently replace. */
    private static void writeText(Writer out, String text) {
        if (out.plain(UTF8, text)) {
            return;
        }
        if (isUnicode(text)) {
            out.octet(UTF8);
            out.string(text);
            return;
        }
        ByteBuffer utf16 = ByteBuffer.allocate(2 * text.length());
        utf16.asCharBuffer().put(text);
        out.octet(UTF16);
        out.sized(utf16.array());
    }

    /** Whether all surrogates come in pairs. */
    private static boolean isUnicode(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (i + 1 == text.length() || !Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1))) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** Whether the bytes are a record of a newer version than this program reads. Magic, version and checksum stay where they are in every version. */
    public static boolean isNewer(byte[] bytes) {
        return isRecord(bytes) && bytes[MAGIC.length] > VERSION && checksumFits(bytes);
    }

    private static boolean isRecord(byte[] bytes) {
        return bytes.length >= MAGIC.length + 1 + 4
                && ByteBuffer.wrap(bytes, 0, MAGIC.length).equals(ByteBuffer.wrap(MAGIC));
    }

    private static boolean checksumFits(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes, 0, bytes.length - 4);
        return ByteBuffer.wrap(bytes).getInt(bytes.length - 4) == (int) checksum.getValue();
    }

    /**
     * The record that the bytes are.
     *
     * @throws UnreadableException when they are none
     */
    public static UndoRecord decode(byte[] bytes) throws UnreadableException {
        if (!isRecord(bytes)) {
            throw new UnreadableException("it is not an undo record of this product");
        }
        if (bytes[MAGIC.length] != VERSION) {
            throw new UnreadableException(
                    "it has version " + bytes[MAGIC.length] + ", and this program reads version " + VERSION);
        }
        if (!checksumFits(bytes)) {
            throw new UnreadableException("its checksum is wrong");
        }
        int body = MAGIC.length + 1;
        Reader in = new Reader(ByteBuffer.wrap(bytes, body, bytes.length - 4 - body));
        try {
            Xid xid = new Xid(in.string());
            BranchId branch = new BranchId(in.buffer.getLong());
            int encoding = in.octet();
            if (encoding == DEFLATED) {
                in = new Reader(inflated(in));
            } else if (encoding != PLAIN) {
                throw new UnreadableException("it is compressed in an unknown way: " + encoding);
            }
            int count = in.count();
            List<TableChange> changes = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                changes.add(readChange(in));
            }
            int tables = in.count();
            List<Reliance> reliances = new ArrayList<>();
            for (int i = 0; i < tables; i++) {
                reliances.add(readReliance(in, changes));
            }
            if (in.buffer.hasRemaining()) {
                throw new UnreadableException("it goes on after its end");
            }
            return new UndoRecord(xid, branch, changes, reliances);
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new UnreadableException("it contradicts itself: " + e);
        }
    }

    private static TableChange readChange(Reader in) throws UnreadableException {
        int kindAndFlag = in.octet();
        int kind = kindAndFlag & ~FOLLOWING;
        if (kind >= TableChange.Kind.values().length) {
            throw new UnreadableException("it holds an unknown kind of change: " + kind);
        }
        String schema = in.string();
        String table = in.string();
        String lockName = in.string();
        int columnCount = in.count();
        List<ImageColumn> columns = new ArrayList<>();
        for (int i = 0; i < columnCount; i++) {
            columns.add(new ImageColumn(in.string(), in.string(), in.count() - 1, in.octet() == MAINTAINED));
        }
        int rowCount = in.count();
        List<RowChange> rows = new ArrayList<>();
        for (int i = 0; i < rowCount; i++) {
            int flags = in.octet();
            List<Value> before = (flags & BEFORE) == 0 ? null : readRow(in, columnCount);
            List<Value> after = (flags & AFTER) == 0 ? null : readRow(in, columnCount);
            rows.add(new RowChange(before, after));
        }
        boolean following = (kindAndFlag & FOLLOWING) != 0;
        return new TableChange(TableChange.Kind.values()[kind], following, schema, table, lockName, columns, rows);
    }

    private static List<Value> readRow(Reader in, int columns) throws UnreadableException {
        List<Value> row = new ArrayList<>(columns);
        for (int i = 0; i < columns; i++) {
            int type = in.octet();
            row.add(
                    switch (type) {
                        case NULL -> Value.NULL;
                        case UTF8 -> new Value.Text(in.text());
                        case BYTES -> new Value.Bytes(in.sized());
                        case UTF16 ->
                            new Value.Text(
                                    ByteBuffer.wrap(in.sized()).asCharBuffer().toString());
                        default -> throw new UnreadableException("it holds an unknown type of value: " + type);
                    });
        }
        return row;
    }

    private static final class Writer {

        private byte[] bytes;
        private int size;

        /** @param room for how many bytes there is before more is made */
        Writer(int room) {
            bytes = new byte[room];
        }

        /** How many bytes a number that is not negative takes. */
        static int varintLength(int value) {
            int length = 1;
            for (int rest = value >>> 7; rest > 0; rest >>>= 7) {
                length++;
            }
            return length;
        }

        private void makeRoom(int more) {
            if (more > bytes.length - size) {
                bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, Math.addExact(size, more)));
            }
        }

        byte[] bytes() {
            return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
        }

        int size() {
            return size;
        }

        void octet(int value) {
            makeRoom(1);
            bytes[size++] = (byte) value;
        }

        void raw(byte[] value) {
            makeRoom(value.length);
            System.arraycopy(value, 0, bytes, size, value.length);
            size += value.length;
        }

        void varint(int value) {
            int rest = value;
            while (rest > 0x7f) {
                octet(rest & 0x7f | 0x80);
                rest >>>= 7;
            }
            octet(rest);
        }

        void sized(byte[] value) {
            varint(value.length);
            raw(value);
        }

        void string(String value) {
            if (!plain(NO_TYPE, value)) {
                sized(value.getBytes(StandardCharsets.UTF_8));
            }
        }

        /**
         * Writes a short text of ASCII, whose length takes one byte; false, and nothing was written, when it is another.
         *
         * @param type what stands before it, or {@link #NO_TYPE}
         */
        boolean plain(int type, String value) {
            int length = value.length();
            if (length > 0x7f) {
                return false;
            }
            makeRoom(length + 2);
            int first = type == NO_TYPE ? size + 1 : size + 2;
            for (int i = 0; i < length; i++) {
                char c = value.charAt(i);
                if (c > 0x7f) {
                    return false;
                }
                bytes[first + i] = (byte) c;
            }
            if (type != NO_TYPE) {
                bytes[size] = (byte) type;
            }
            bytes[first - 1] = (byte) length;
            size = first + length;
            return true;
        }
    }

    private static final class Reader {

        private final ByteBuffer buffer;

        Reader(ByteBuffer buffer) {
            this.buffer = buffer;
        }

        int octet() {
            return buffer.get() & 0xff;
        }

        /** A length or count: each thing counted takes a byte at least, so it cannot exceed what is left. */
        int count() throws UnreadableException {
            long value = number();
            if (value > buffer.remaining()) {
                throw new UnreadableException("it names a length of " + value + " where less is left");
            }
            return (int) value;
        }

        /** Less than 2^31. */
        long number() throws UnreadableException {
            long value = 0;
            for (int shift = 0; shift <= 28; shift += 7) {
                int octet = octet();
                value |= (long) (octet & 0x7f) << shift;
                if (octet <= 0x7f) {
                    if (value > Integer.MAX_VALUE) {
                        break;
                    }
                    return value;
                }
            }
            throw new UnreadableException("it holds a number that does not end");
        }

        byte[] sized() throws UnreadableException {
            byte[] value = new byte[count()];
            buffer.get(value);
            return value;
        }

        String string() throws UnreadableException {
            return new String(sized(), StandardCharsets.UTF_8);
        }

        String text() throws UnreadableException {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(sized()))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new UnreadableException("a text in it is not UTF-8");
            }
        }
    }
}
