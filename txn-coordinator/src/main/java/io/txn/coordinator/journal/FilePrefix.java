package io.txn.coordinator.journal;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The first 64 bytes of every file of the journal: what it is, and which version of the format wrote it. The first 16 bytes keep their
 * meaning in every version to come, so that a newer file is told from a damaged one.
 *
 * <pre>
 *  0  eight letters that name the kind of file
 *  8  version of the format
 * 12  CRC-32C over bytes 0 to 11
 * 16  what the kind of file says about itself
 * 60  CRC-32C over bytes 0 to 59
 * </pre>
 */
final class FilePrefix {

    static final int BYTES = 64;
    static final int VERSION = 1;
    /** Where the part begins that depends on the kind of file. */
    static final int BODY = 16;

    private FilePrefix() {}

    /** A prefix whose part from {@link #BODY} on is to be filled in, and then {@linkplain #finish finished}. */
    static ByteBuffer begin(String magic) {
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        bytes.put(0, magic.getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, 8);
        bytes.putInt(8, VERSION);
        bytes.putInt(12, crc(bytes, 12));
        return bytes;
    }

    static ByteBuffer finish(ByteBuffer bytes) {
        return bytes.putInt(60, crc(bytes, 60)).limit(BYTES).position(0);
    }

    /** Returns normally when {@code bytes} begin with a valid prefix of this kind and version. */
    static void check(Path file, ByteBuffer bytes, String magic) {
        if (bytes.limit() < BYTES) {
            throw damaged(file, bytes.limit(), "the file ends inside its header");
        }
        byte[] found = new byte[8];
        bytes.get(0, found);
        if (!magic.equals(new String(found, java.nio.charset.StandardCharsets.ISO_8859_1))
                || bytes.getInt(12) != crc(bytes, 12)) {
            throw damaged(file, 0, "the file does not begin as it must");
        }
        int version = bytes.getInt(8);
        if (version > VERSION) {
            throw new TxnException(
                    ErrorCode.JOURNAL_TOO_NEW, null, "file", file, "version", version, "understood", VERSION);
        }
        if (version < 1) {
            throw damaged(file, 8, "there is no such version");
        }
        if (bytes.getInt(60) != crc(bytes, 60)) {
            throw damaged(file, BODY, "the header's checksum is wrong");
        }
    }

    static TxnException damaged(Path file, long offset, String reason) {
        return new TxnException(ErrorCode.JOURNAL_DAMAGED, null, "file", file, "offset", offset, "reason", reason);
    }

    private static int crc(ByteBuffer bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.slice(0, length));
        return (int) crc.getValue();
    }
}
