package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.txn.protocol.message.Message;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How one message lies in bytes: its fields in order, each with its getter and its {@link Primitive}, and the constructor that takes them. The
 * same description writes and reads, so the two cannot drift apart.
 *
 * @param typeCode the number that precedes the fields
 * @param type the message
 * @param layout the primitives' names in order, for the documentation
 */
record Schema<M extends Message>(int typeCode, Class<M> type, List<String> layout, Writer<M> writer, Reader<M> reader) {

    interface Writer<M> {
        void write(M message, ByteBuf out);
    }

    interface Reader<M> {
        M read(ByteBuf in);
    }

    interface Getter<M, T extends @Nullable Object> {
        T get(M message);
    }

    /** One field of a message. */
    record Field<M, T extends @Nullable Object>(Primitive<T> primitive, Getter<M, T> getter) {

        void write(M message, ByteBuf out) {
            primitive.write(out, getter.get(message));
        }

        T read(ByteBuf in) {
            return primitive.read(in);
        }
    }

    static <M, T extends @Nullable Object> Field<M, T> field(Primitive<T> primitive, Getter<M, T> getter) {
        return new Field<>(primitive, getter);
    }

    interface Of1<A extends @Nullable Object, M> {
        M create(A a);
    }

    interface Of2<A extends @Nullable Object, B extends @Nullable Object, M> {
        M create(A a, B b);
    }

    interface Of3<A extends @Nullable Object, B extends @Nullable Object, C extends @Nullable Object, M> {
        M create(A a, B b, C c);
    }

    interface Of4<
            A extends @Nullable Object,
            B extends @Nullable Object,
            C extends @Nullable Object,
            D extends @Nullable Object,
            M> {
        M create(A a, B b, C c, D d);
    }

    interface Of5<
            A extends @Nullable Object,
            B extends @Nullable Object,
            C extends @Nullable Object,
            D extends @Nullable Object,
            E extends @Nullable Object,
            M> {
        M create(A a, B b, C c, D d, E e);
    }

    interface Of6<
            A extends @Nullable Object,
            B extends @Nullable Object,
            C extends @Nullable Object,
            D extends @Nullable Object,
            E extends @Nullable Object,
            F extends @Nullable Object,
            M> {
        M create(A a, B b, C c, D d, E e, F f);
    }

    // Java evaluates arguments from left to right, which is what makes each "create(a.read(in), b.read(in), ...)" below
    // read in order.

    static <M extends Message, A extends @Nullable Object> Schema<M> schema(
            int typeCode, Class<M> type, Of1<A, M> constructor, Field<M, A> a) {
        return schema(typeCode, type, List.of(a), in -> constructor.create(a.read(in)));
    }

    static <M extends Message, A extends @Nullable Object, B extends @Nullable Object> Schema<M> schema(
            int typeCode, Class<M> type, Of2<A, B, M> constructor, Field<M, A> a, Field<M, B> b) {
        return schema(typeCode, type, List.of(a, b), in -> constructor.create(a.read(in), b.read(in)));
    }

    static <M extends Message, A extends @Nullable Object, B extends @Nullable Object, C extends @Nullable Object>
            Schema<M> schema(
                    int typeCode,
                    Class<M> type,
                    Of3<A, B, C, M> constructor,
                    Field<M, A> a,
                    Field<M, B> b,
                    Field<M, C> c) {
        return schema(typeCode, type, List.of(a, b, c), in -> constructor.create(a.read(in), b.read(in), c.read(in)));
    }

    static <
                    M extends Message,
                    A extends @Nullable Object,
                    B extends @Nullable Object,
                    C extends @Nullable Object,
                    D extends @Nullable Object>
            Schema<M> schema(
                    int typeCode,
                    Class<M> type,
                    Of4<A, B, C, D, M> constructor,
                    Field<M, A> a,
                    Field<M, B> b,
                    Field<M, C> c,
                    Field<M, D> d) {
        return schema(
                typeCode,
                type,
                List.of(a, b, c, d),
                in -> constructor.create(a.read(in), b.read(in), c.read(in), d.read(in)));
    }

    static <
                    M extends Message,
                    A extends @Nullable Object,
                    B extends @Nullable Object,
                    C extends @Nullable Object,
                    D extends @Nullable Object,
                    E extends @Nullable Object>
            Schema<M> schema(
                    int typeCode,
                    Class<M> type,
                    Of5<A, B, C, D, E, M> constructor,
                    Field<M, A> a,
                    Field<M, B> b,
                    Field<M, C> c,
                    Field<M, D> d,
                    Field<M, E> e) {
        return schema(
                typeCode,
                type,
                List.of(a, b, c, d, e),
                in -> constructor.create(a.read(in), b.read(in), c.read(in), d.read(in), e.read(in)));
    }

    static <
                    M extends Message,
                    A extends @Nullable Object,
                    B extends @Nullable Object,
                    C extends @Nullable Object,
                    D extends @Nullable Object,
                    E extends @Nullable Object,
                    F extends @Nullable Object>
            Schema<M> schema(
                    int typeCode,
                    Class<M> type,
                    Of6<A, B, C, D, E, F, M> constructor,
                    Field<M, A> a,
                    Field<M, B> b,
                    Field<M, C> c,
                    Field<M, D> d,
                    Field<M, E> e,
                    Field<M, F> f) {
        return schema(
                typeCode,
                type,
                List.of(a, b, c, d, e, f),
                in -> constructor.create(a.read(in), b.read(in), c.read(in), d.read(in), e.read(in), f.read(in)));
    }

    private static <M extends Message> Schema<M> schema(
            int typeCode, Class<M> type, List<Field<M, ?>> fields, Reader<M> reader) {
        List<String> layout =
                fields.stream().map(field -> field.primitive().name()).toList();
        return new Schema<>(
                typeCode,
                type,
                layout,
                (message, out) -> {
                    for (Field<M, ?> field : fields) {
                        field.write(message, out);
                    }
                },
                reader);
    }

    /** Writes type code and fields. The message is of this schema's type. */
    void write(Message message, ByteBuf out) {
        out.writeShort(typeCode);
        writer.write(type.cast(message), out);
    }

    /** Reads the fields, which follow the type code. */
    M read(ByteBuf in) {
        return reader.read(in);
    }
}
