package io.txn.protocol.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.netty.buffer.ByteBufOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/** The compressions of a body that the JDK brings. Peers that ask for another are not understood. */
enum Compressor {
    GZIP(1) {
        @Override
        InputStream unfold(InputStream in) throws IOException {
            return new GZIPInputStream(in);
        }

        @Override
        OutputStream fold(OutputStream out) throws IOException {
            return new GZIPOutputStream(out);
        }
    },
    /** A zip archive with one entry. */
    ZIP(2) {
        @Override
        InputStream unfold(InputStream in) throws IOException {
            ZipInputStream zip = new ZipInputStream(in);
            if (zip.getNextEntry() == null) {
                throw new IOException("an archive without an entry");
            }
            return zip;
        }

        @Override
        OutputStream fold(OutputStream out) throws IOException {
            ZipOutputStream zip = new ZipOutputStream(out);
            ZipEntry entry = new ZipEntry("zip");
            // A fixed time, so that equal bodies give equal bytes.
            entry.setTime(0);
            zip.putNextEntry(entry);
            return new FilterOutputStream(zip) {
                @Override
                public void write(byte[] bytes, int offset, int length) throws IOException {
                    zip.write(bytes, offset, length);
                }

                @Override
                public void close() throws IOException {
                    zip.closeEntry();
                    zip.close();
                }
            };
        }
    },
    DEFLATER(6) {
        @Override
        InputStream unfold(InputStream in) {
            return new InflaterInputStream(in);
        }

        @Override
        OutputStream fold(OutputStream out) {
            return new DeflaterOutputStream(out);
        }
    };

    private static final int CHUNK = 4096;

    private final byte id;

    Compressor(int id) {
        this.id = (byte) id;
    }

    static @Nullable Compressor of(byte id) {
        for (Compressor compressor : values()) {
            if (compressor.id == id) {
                return compressor;
            }
        }
        return null;
    }

    byte id() {
        return id;
    }

    abstract InputStream unfold(InputStream in) throws IOException;

    abstract OutputStream fold(OutputStream out) throws IOException;

    /** Appends what {@code in} unfolds to; a body that unfolds to more than {@code maxBytes} is malformed, and never held in full. */
    void decompress(ByteBuf in, ByteBuf out, int maxBytes) {
        byte[] chunk = new byte[CHUNK];
        try (InputStream unfolded = unfold(new ByteBufInputStream(in))) {
            for (int n = unfolded.read(chunk); n >= 0; n = unfolded.read(chunk)) {
                if (out.readableBytes() + n > maxBytes) {
                    throw new MalformedFrameException("a compressed body unfolds to more than " + maxBytes + " bytes");
                }
                out.writeBytes(chunk, 0, n);
            }
        } catch (IOException e) {
            throw new MalformedFrameException("a body is not " + this + ": " + e.getMessage());
        } catch (IllegalArgumentException e) {
            // ZipInputStream on an entry name that is not text
            throw new MalformedFrameException("a body is not " + this + ": " + e.getMessage());
        }
    }

    void compress(ByteBuf in, ByteBuf out) {
        try (OutputStream folded = fold(new ByteBufOutputStream(out))) {
            in.readBytes(folded, in.readableBytes());
        } catch (IOException e) {
            throw new UncheckedIOException("a buffer cannot fail", e);
        }
    }
}
