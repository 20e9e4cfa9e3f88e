package io.txn.protocol.extension;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/** Bytes, compressed, as text that fits into a head. For the extensions of this module; a part of no API. */
public final class Packed {

    /** A head has room for 32,767 bytes in all. */
    public static final int LONGEST_TEXT = 24_000;

    /** No more is unfolded. */
    public static final int MOST_BYTES = 64 * 1024;

    private Packed() {}

    public interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    public interface Reading<T> {
        T from(DataInputStream in) throws IOException;
    }

    /** What {@code writing} writes; null when that is too much. */
    public static @Nullable String text(Writing writing) {
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(plain)) {
            writing.to(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (plain.size() > MOST_BYTES) {
            return null;
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        Deflater deflater = new Deflater();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed, deflater)) {
            plain.writeTo(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            deflater.end();
        }
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(packed.toByteArray());
        return text.length() > LONGEST_TEXT ? null : text;
    }

    /** @throws TxnException BAD_REQUEST when the text is none that {@link #text} made */
    public static <T> T read(String field, String text, Reading<T> reading) {
        if (text.length() > LONGEST_TEXT) {
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", field, "reason", "it is too long");
        }
        try {
            byte[] packed = Base64.getUrlDecoder().decode(text);
            byte[] plain;
            try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(packed))) {
                plain = in.readNBytes(MOST_BYTES + 1);
            }
            if (plain.length > MOST_BYTES) {
                throw new IOException("it unfolds to more than " + MOST_BYTES + " bytes");
            }
            DataInputStream in = new DataInputStream(new ByteArrayInputStream(plain));
            T value = reading.from(in);
            if (in.available() > 0) {
                throw new IOException("something stands behind it");
            }
            return value;
        } catch (IOException | IllegalArgumentException e) {
            // The text of the cause may hold what it was about.
            throw new TxnException(ErrorCode.BAD_REQUEST, null, "field", field, "reason", "it cannot be read");
        }
    }

    public static void string(DataOutputStream out, @Nullable String text) throws IOException {
        if (text == null) {
            out.writeInt(-1);
            return;
        }
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(utf8.length);
        out.write(utf8);
    }

    public static @Nullable String string(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0) {
            return null;
        }
        if (length > in.available()) {
            throw new IOException("a text is longer than what is left");
        }
        return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }

    public static String text(DataInputStream in) throws IOException {
        String text = string(in);
        if (text == null) {
            throw new IOException("a text is missing");
        }
        return text;
    }

    public static <E extends Enum<E>> E constant(DataInputStream in, E[] values) throws IOException {
        int ordinal = in.readUnsignedByte();
        if (ordinal >= values.length) {
            throw new IOException("no constant " + ordinal);
        }
        return values[ordinal];
    }

    /** A count of things of which each takes at least one byte. */
    public static int count(DataInputStream in) throws IOException {
        int count = in.readUnsignedShort();
        if (count > in.available()) {
            throw new IOException("more things than bytes");
        }
        return count;
    }
}
