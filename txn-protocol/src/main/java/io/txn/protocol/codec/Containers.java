package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.Message;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The layout of the messages that hold others: i4 length of all that follows, i2 count, the children (each with its type code), and for some
 * kinds an i4 request id for each child. Children are plain messages: a container in a container is malformed.
 */
final class Containers {

    interface Constructor<C, M> {
        M create(List<C> children, List<Integer> ids);
    }

    private Containers() {}

    /** @param ids null when this container carries no ids */
    static <M extends Message, C extends Message> Schema<M> container(
            int typeCode,
            Class<M> type,
            Class<C> childType,
            Constructor<C, M> constructor,
            Schema.Getter<M, List<C>> children,
            Schema.@Nullable Getter<M, List<Integer>> ids) {
        String child = childType.getSimpleName().toLowerCase(java.util.Locale.ROOT);
        List<String> layout = ids == null
                ? List.of("i4 length", "i2 n", "n × " + child)
                : List.of("i4 length", "i2 n", "n × " + child, "n × i4 id");
        return new Schema<>(
                typeCode,
                type,
                layout,
                (message, out) -> write(out, children.get(message), ids == null ? List.of() : ids.get(message)),
                in -> read(in, childType, ids != null, constructor));
    }

    private static void write(ByteBuf out, List<? extends Message> children, List<Integer> ids) {
        if (children.size() > Short.MAX_VALUE) {
            throw new TxnException(
                    ErrorCode.MESSAGE_TOO_LARGE, null, "children", children.size(), "limit", Short.MAX_VALUE);
        }
        int start = out.writerIndex();
        out.writeInt(0).writeShort(children.size());
        for (Message child : children) {
            Schemas.of(child).write(child, out);
        }
        for (int id : ids) {
            out.writeInt(id);
        }
        out.setInt(start, out.writerIndex() - start - Integer.BYTES);
    }

    private static <M extends Message, C extends Message> M read(
            ByteBuf body, Class<C> childType, boolean withIds, Constructor<C, M> constructor) {
        int length = Primitives.I4.read(body);
        if (length < 0 || length > body.readableBytes()) {
            throw new MalformedFrameException(
                    "a container of " + length + " bytes with " + body.readableBytes() + " bytes left");
        }
        ByteBuf in = body.readSlice(length);
        int count = Primitives.I2.read(in);
        if (count < 0) {
            throw new MalformedFrameException("a container of " + count + " messages");
        }
        // A child takes at least its type code, so a count that lies cannot make this list large.
        List<C> children = new ArrayList<>(Math.min(count, in.readableBytes() / Short.BYTES));
        for (int i = 0; i < count; i++) {
            Schema<?> schema = Schemas.of(Primitives.I2.read(in));
            if (!childType.isAssignableFrom(schema.type())) {
                throw new MalformedFrameException("a " + schema.type().getSimpleName() + " inside a container of "
                        + childType.getSimpleName() + "s");
            }
            children.add(childType.cast(schema.read(in)));
        }
        List<Integer> ids = new ArrayList<>(withIds ? count : 0);
        for (int i = 0; withIds && i < count; i++) {
            ids.add(Primitives.I4.read(in));
        }
        if (in.isReadable()) {
            throw new MalformedFrameException(in.readableBytes() + " bytes too many in a container");
        }
        return constructor.create(children, ids);
    }
}
