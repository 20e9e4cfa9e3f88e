package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * One way to lay a value out in bytes.
 *
 * @param name what the documentation calls it
 * @param writer appends a value; refuses one that does not fit
 * @param reader takes a value off a buffer that holds nothing but the body; throws {@link MalformedFrameException} when that is not one
 */
record Primitive<T extends @Nullable Object>(String name, Writer<T> writer, Reader<T> reader) {

    interface Writer<T extends @Nullable Object> {
        void write(ByteBuf out, T value);
    }

    interface Reader<T extends @Nullable Object> {
        T read(ByteBuf in);
    }

    void write(ByteBuf out, T value) {
        writer.write(out, value);
    }

    T read(ByteBuf in) {
        return reader.read(in);
    }
}
