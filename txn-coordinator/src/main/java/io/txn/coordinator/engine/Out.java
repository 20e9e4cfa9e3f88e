package io.txn.coordinator.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A growing buffer for the codec: varints (LEB128), and strings as length + 1 in bytes (0 for null) and UTF-8. Not thread-safe. */
final class Out {

    private static final int KEPT = 64 * 1024;

    private byte[] bytes = new byte[512];
    private int size;

    void u1(int value) {
        ensure(1);
        bytes[size++] = (byte) value;
    }

    void varint(long value) {
        ensure(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[size++] = (byte) (rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    void string(@Nullable String text) {
        if (text == null) {
            varint(0);
            return;
        }
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        varint(utf8.length + 1L);
        ensure(utf8.length);
        System.arraycopy(utf8, 0, bytes, size, utf8.length);
        size += utf8.length;
    }

    private void ensure(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, Math.addExact(size, more)));
        }
    }

    int size() {
        return size;
    }

    /** What was written; valid until the next {@link #reset}. */
    ByteBuffer buffer() {
        return ByteBuffer.wrap(bytes, 0, size);
    }

    byte[] array() {
        return bytes;
    }

    void reset() {
        size = 0;
        if (bytes.length > KEPT) {
            bytes = new byte[512];
        }
    }
}
