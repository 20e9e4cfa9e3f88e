package io.txn.protocol;

/**
 * The id of a global transaction: {@code host:port:number}, where host and port are the address under which the coordinator that
 * opened it can be reached, and the part after the last colon is a positive 63-bit number. Clients treat it as opaque.
 *
 * @param value the textual form, 1 to 128 bytes of printable ASCII
 */
public record Xid(String value) {

    /** The longest textual form that the undo and fence tables have room for. */
    public static final int MAX_LENGTH = 128;

    public Xid {
        if (value.isEmpty() || value.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("an XID has 1 to " + MAX_LENGTH + " characters, got " + value.length());
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c <= ' ' || c >= 127) {
                throw new IllegalArgumentException("an XID is printable ASCII without blanks");
            }
        }
    }

    /** The XID of transaction {@code number} of the coordinator that advertises {@code address} ({@code host:port}). */
    public static Xid of(String address, long number) {
        return new Xid(address + ':' + number);
    }

    /** The number after the last colon, or -1 when there is none (an XID that no coordinator of this kind made). */
    public long number() {
        try {
            return Long.parseLong(value, value.lastIndexOf(':') + 1, value.length(), 10);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
