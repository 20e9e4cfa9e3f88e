package io.txn.client.jdbc.dialect;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A column's value in the form in which the database gave it and takes it back: a closed set. Two values of one column are equal exactly if
 * the database stored the same.
 */
public sealed interface Value {

    /** SQL NULL. */
    Value NULL = new Null();

    /** SQL NULL. */
    record Null() implements Value {}

    record Text(String text) implements Value {}

    /** Not copied: whoever makes one hands the array over. */
    record Bytes(byte[] bytes) implements Value {

        @Override
        public boolean equals(Object other) {
            return other instanceof Bytes that && Arrays.equals(bytes, that.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }

        @Override
        public String toString() {
            return bytes.length + " bytes";
        }
    }

    /** The value as part of a lock key or a log line: valid UTF-8 as text, other bytes in hexadecimal. */
    default String asKeyText() {
        if (this instanceof Text text) {
            return text.text();
        }
        if (this instanceof Bytes bytes) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes.bytes()))
                        .toString();
            } catch (CharacterCodingException e) {
                return "0x" + HexFormat.of().formatHex(bytes.bytes());
            }
        }
        return "NULL";
    }
}
