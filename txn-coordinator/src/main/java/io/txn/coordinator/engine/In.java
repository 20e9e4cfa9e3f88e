package io.txn.coordinator.engine;

import io.txn.protocol.BranchType;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Reads what {@link Out} wrote. Bytes that {@code Out} cannot have written raise {@link IllegalArgumentException}. */
final class In {

    private static final int SHARED_DATA = 64;

    private final ByteBuffer bytes;
    private final Interner interner;

    In(ByteBuffer bytes, Interner interner) {
        this.bytes = bytes;
        this.interner = interner;
    }

    int u1() {
        try {
            return bytes.get() & 0xFF;
        } catch (BufferUnderflowException e) {
            throw new IllegalArgumentException("the record ends too early", e);
        }
    }

    long varint() {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int b = u1();
            value |= (long) (b & 0x7F) << shift;
            if ((b & 0x80) == 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number is longer than 64 bits");
    }

    /** A number from 0 to {@code max}. */
    int count(int max) {
        long value = varint();
        if (value < 0 || value > max) {
            throw new IllegalArgumentException("a count of " + value + " where at most " + max + " is possible");
        }
        return (int) value;
    }

    <E extends Enum<E>> E constant(E[] values) {
        int ordinal = u1();
        if (ordinal >= values.length) {
            throw new IllegalArgumentException(
                    "no constant " + ordinal + " in " + values.getClass().getComponentType());
        }
        return values[ordinal];
    }

    @Nullable
    String string() {
        long length = varint() - 1;
        if (length < 0) {
            return null;
        }
        if (length > bytes.remaining()) {
            throw new IllegalArgumentException(
                    "a text of " + length + " bytes where " + bytes.remaining() + " are left");
        }
        byte[] utf8 = new byte[(int) length];
        bytes.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    String text() {
        String text = string();
        if (text == null) {
            throw new IllegalArgumentException("a text is missing");
        }
        return text;
    }

    /** A text that many transactions share. */
    String sharedText() {
        return interner.intern(text());
    }

    /** A text that many branches share when it is short: AT clients say little more than whether they commit by themselves. */
    @Nullable
    String dataOf(BranchType type) {
        String text = string();
        return text == null || type != BranchType.AT || text.length() > SHARED_DATA ? text : interner.intern(text);
    }

    Interner interner() {
        return interner;
    }

    int remaining() {
        return bytes.remaining();
    }
}
