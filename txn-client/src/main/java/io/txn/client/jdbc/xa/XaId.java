package io.txn.client.jdbc.xa;

import io.txn.protocol.Xid;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The name of a prepared branch in its database: opaque, at most 64 bytes in each part, the same text in every database. The first part tells which global transaction it is of, as far
 * as a number can; the second is random and ends in digits of the database, because some servers list the branches of all their databases.
 *
 * @param global {@code txn}, the number of the XID in base 36, and behind an {@code @} which coordinator numbered it so
 * @param branch a random number in base 36, and the digits of the database
 */
public record XaId(String global, String branch) {

    /** Tells our branches from those of others. */
    static final int FORMAT = 0x54584E31;

    private static final String PREFIX = "txn";
    private static final char AT = '@';
    /** The address of a coordinator stands in an id when it has such characters only, and not more: an id has to fit, and is never quoted. */
    private static final String ADDRESS = "[A-Za-z0-9.:\\[\\]_-]{1,47}";

    private static final Pattern TEXT =
            Pattern.compile("(txn[0-9a-z]{1,13}(?:@" + ADDRESS + ")?)\\.([0-9a-z]{1,13}\\.[0-9a-f]{8})");

    public XaId {
        if (!TEXT.matcher(global + '.' + branch).matches()) {
            throw new IllegalArgumentException("no id of a prepared branch of ours: " + global + '.' + branch);
        }
    }

    /**
     * A new one.
     *
     * @param random 63 random bits, so that no other branch has the id
     * @param database identifies the database
     */
    public static XaId of(Xid xid, long random, String database) {
        long number = xid.number();
        // An XID that no coordinator of this kind made has no number: digits of its text tell it from others as well as
        // can be.
        long global = number >= 0 ? number : checksum(xid.value());
        String address = number >= 0 ? xid.value().substring(0, xid.value().lastIndexOf(':')) : "";
        return new XaId(
                PREFIX + Long.toString(global, 36) + (address.matches(ADDRESS) ? AT + address : ""),
                Long.toString(random & Long.MAX_VALUE, 36) + '.' + digits(database));
    }

    private static long checksum(String text) {
        CRC32C checksum = new CRC32C();
        checksum.update(text.getBytes(StandardCharsets.UTF_8));
        return checksum.getValue();
    }

    private static String digits(String database) {
        return String.format(Locale.ROOT, "%08x", checksum(database));
    }

    /** The id that a text is; null when it is none of ours. */
    public static @Nullable XaId parse(@Nullable String text) {
        Matcher matcher = TEXT.matcher(text == null ? "" : text);
        return matcher.matches() ? new XaId(matcher.group(1), matcher.group(2)) : null;
    }

    /** Whether it names a branch in that database. */
    public boolean isIn(String database) {
        return branch.endsWith('.' + digits(database));
    }

    /** The number of the global transaction. */
    public long number() {
        int end = global.indexOf(AT);
        return Long.parseLong(global.substring(PREFIX.length(), end < 0 ? global.length() : end), 36);
    }

    /** The global transaction; null when its coordinator's name was too long to be told. */
    public @Nullable Xid xid() {
        int at = global.indexOf(AT);
        return at < 0 ? null : Xid.of(global.substring(at + 1), number());
    }

    @Override
    public String toString() {
        return global + '.' + branch;
    }
}
