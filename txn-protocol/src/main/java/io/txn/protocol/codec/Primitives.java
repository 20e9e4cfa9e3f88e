package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.message.BranchStatus;
import io.txn.protocol.message.GlobalStatus;
import io.txn.protocol.message.Outcome;
import io.txn.protocol.message.ResultCode;
import io.txn.protocol.message.TransactionExceptionCode;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The values of codec 1. Integers are big-endian and signed; an enumeration travels as its ordinal. */
final class Primitives {

    /** The longest string behind a two-byte length. A longer one would become a negative length and garble all that follows. */
    static final int MAX_SHORT_STRING = Short.MAX_VALUE;

    static final Primitive<Short> I2 = new Primitive<>(
            "i2", (out, value) -> out.writeShort(value), in -> need(in, 2).readShort());

    static final Primitive<Integer> I4 = new Primitive<>(
            "i4", (out, value) -> out.writeInt(value), in -> need(in, 4).readInt());

    static final Primitive<Long> I8 = new Primitive<>(
            "i8", (out, value) -> out.writeLong(value), in -> need(in, 8).readLong());

    static final Primitive<Boolean> BOOL1 = new Primitive<>(
            "bool1",
            (out, value) -> out.writeByte(value ? 1 : 0),
            in -> bool(need(in, 1).readByte()));

    static final Primitive<Boolean> BOOL2 = new Primitive<>(
            "bool2",
            (out, value) -> out.writeShort(value ? 1 : 0),
            in -> bool(need(in, 2).readShort()));

    @SuppressWarnings("NullAway") // takes the constructor's method references for non-null ones
    static final Primitive<@Nullable String> STR2 =
            new Primitive<@Nullable String>("str2", Primitives::writeShortString, Primitives::readShortString);

    @SuppressWarnings("NullAway") // takes the constructor's method references for non-null ones
    static final Primitive<@Nullable String> STR4 =
            new Primitive<@Nullable String>("str4", Primitives::writeLongString, Primitives::readLongString);

    static final Primitive<GlobalStatus> GLOBAL_STATUS = enumeration("globalStatus", GlobalStatus.values());

    /** A global status that may be absent, which is byte 255. */
    @SuppressWarnings("NullAway") // as above
    static final Primitive<@Nullable GlobalStatus> GLOBAL_STATUS_OR_NONE =
            new Primitive<@Nullable GlobalStatus>("globalStatus?", Primitives::writeStatus, Primitives::readStatus);

    static final Primitive<BranchStatus> BRANCH_STATUS = enumeration("branchStatus", BranchStatus.values());

    static final Primitive<BranchType> BRANCH_TYPE = enumeration("branchType", BranchType.values());

    static final Primitive<ResultCode> RESULT_CODE = enumeration("resultCode", ResultCode.values());

    static final Primitive<TransactionExceptionCode> EXCEPTION_CODE =
            enumeration("exceptionCode", TransactionExceptionCode.values());

    /** Result code; only if it failed, a message; exception code. */
    static final Primitive<Outcome> OUTCOME =
            new Primitive<>("outcome", Primitives::writeOutcome, Primitives::readOutcome);

    private Primitives() {}

    /** The buffer, once it is certain that it holds {@code bytes} more. */
    static ByteBuf need(ByteBuf in, int bytes) {
        if (in.readableBytes() < bytes) {
            throw new MalformedFrameException(
                    "the body ends " + (bytes - in.readableBytes()) + " bytes before the end of a value");
        }
        return in;
    }

    private static boolean bool(int value) {
        if (value != 0 && value != 1) {
            throw new MalformedFrameException("a truth value is 0 or 1, got " + value);
        }
        return value == 1;
    }

    private static <E extends Enum<E>> Primitive<E> enumeration(String name, E[] values) {
        return new Primitive<>(name, (out, value) -> out.writeByte(value.ordinal()), in -> {
            int ordinal = need(in, 1).readUnsignedByte();
            if (ordinal >= values.length) {
                throw new MalformedFrameException("no " + name + " has the value " + ordinal);
            }
            return values[ordinal];
        });
    }

    private static void writeStatus(ByteBuf out, @Nullable GlobalStatus status) {
        if (status == null) {
            out.writeByte(0xFF);
        } else {
            GLOBAL_STATUS.write(out, status);
        }
    }

    private static @Nullable GlobalStatus readStatus(ByteBuf in) {
        if (need(in, 1).getByte(in.readerIndex()) == (byte) 0xFF) {
            in.skipBytes(1);
            return null;
        }
        return GLOBAL_STATUS.read(in);
    }

    private static void writeShortString(ByteBuf out, @Nullable String value) {
        int bytes = value == null ? 0 : ByteBufUtil.utf8Bytes(value);
        if (bytes > MAX_SHORT_STRING) {
            throw new TxnException(
                    ErrorCode.MESSAGE_TOO_LARGE,
                    null,
                    "bytes",
                    bytes,
                    "limit",
                    MAX_SHORT_STRING,
                    "begins",
                    head(value));
        }
        out.writeShort(bytes);
        if (value != null && bytes > 0) {
            ByteBufUtil.reserveAndWriteUtf8(out, value, bytes);
        }
    }

    private static @Nullable String readShortString(ByteBuf in) {
        return readString(in, need(in, 2).readShort());
    }

    private static void writeLongString(ByteBuf out, @Nullable String value) {
        int bytes = value == null ? 0 : ByteBufUtil.utf8Bytes(value);
        out.writeInt(bytes);
        if (value != null && bytes > 0) {
            ByteBufUtil.reserveAndWriteUtf8(out, value, bytes);
        }
    }

    private static @Nullable String readLongString(ByteBuf in) {
        return readString(in, need(in, 4).readInt());
    }

    private static @Nullable String readString(ByteBuf in, int length) {
        if (length == 0) {
            return null;
        }
        if (length < 0) {
            throw new MalformedFrameException("a string of " + length + " bytes");
        }
        if (in.readableBytes() < length) {
            throw new MalformedFrameException(
                    "a string of " + length + " bytes with only " + in.readableBytes() + " bytes left");
        }
        return readUtf8(in, length);
    }

    /** Reads text that must come back unchanged one day, so bytes that are no UTF-8 are refused instead of being replaced. */
    static String readUtf8(ByteBuf in, int length) {
        byte[] bytes = new byte[length];
        in.readBytes(bytes);
        String text = new String(bytes, StandardCharsets.UTF_8);
        // A replacement character is either honest text, and then yields the same bytes, or the trace of bytes that
        // were lost.
        if (text.indexOf('\uFFFD') >= 0 && !Arrays.equals(bytes, text.getBytes(StandardCharsets.UTF_8))) {
            throw new MalformedFrameException("a string is not UTF-8");
        }
        return text;
    }

    private static void writeOutcome(ByteBuf out, Outcome outcome) {
        RESULT_CODE.write(out, outcome.code());
        if (!outcome.succeeded()) {
            String message = outcome.message();
            writeShortString(out, message == null ? null : cut(message, MAX_SHORT_STRING));
        }
        EXCEPTION_CODE.write(out, outcome.exceptionCode());
    }

    private static Outcome readOutcome(ByteBuf in) {
        ResultCode code = RESULT_CODE.read(in);
        String message = code == ResultCode.FAILED ? readShortString(in) : null;
        TransactionExceptionCode exceptionCode = EXCEPTION_CODE.read(in);
        return code == ResultCode.SUCCESS && exceptionCode == TransactionExceptionCode.UNKNOWN
                ? Outcome.SUCCESS
                : new Outcome(code, message, exceptionCode);
    }

    /** The longest prefix of {@code text} that takes at most {@code maxBytes} bytes and ends between two characters. */
    static String cut(String text, int maxBytes) {
        if (text.length() <= maxBytes / 3 || ByteBufUtil.utf8Bytes(text) <= maxBytes) {
            return text;
        }
        int bytes = 0;
        int end = 0;
        while (end < text.length()) {
            int next = end + Character.charCount(text.codePointAt(end));
            bytes += ByteBufUtil.utf8Bytes(text, end, next);
            if (bytes > maxBytes) {
                break;
            }
            end = next;
        }
        return text.substring(0, end);
    }

    private static @Nullable String head(@Nullable String value) {
        return value == null || value.length() <= 32 ? value : value.substring(0, 32);
    }
}
