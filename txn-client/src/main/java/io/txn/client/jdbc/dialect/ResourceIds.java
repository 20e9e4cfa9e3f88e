package io.txn.client.jdbc.dialect;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** From a JDBC URL to a resource id, by the rules that Seata clients follow, so that both mean the same database. */
final class ResourceIds {

    private static final Pattern CURRENT_SCHEMA = Pattern.compile("[?&](currentSchema=[^&]*)");
    private static final Pattern MARIADB_VERSION = Pattern.compile("(?:5\\.5\\.5-)?(\\d+)\\.(\\d+)\\..*");

    private ResourceIds() {}

    static String mySql(String url) {
        return withoutCommas(upTo(url, "?"));
    }

    static String postgres(String url) {
        Matcher schema = CURRENT_SCHEMA.matcher(url);
        String base = upTo(url, "?");
        return withoutCommas(
                schema.find() ? base + '?' + schema.group(1).replace("%2C", ",").replace(',', '!') : base);
    }

    /** A comma separates ids on the wire. */
    static String withoutCommas(String id) {
        return id.replace(',', '|');
    }

    static String upTo(String url, String ends) {
        for (int i = 0; i < url.length(); i++) {
            if (ends.indexOf(url.charAt(i)) >= 0) {
                return url.substring(0, i);
            }
        }
        return url;
    }

    static boolean mariaDbAtLeast(String version, int major, int minor) {
        Matcher matcher = MARIADB_VERSION.matcher(version);
        if (!matcher.matches()) {
            return false;
        }
        int foundMajor = Integer.parseInt(matcher.group(1));
        int foundMinor = Integer.parseInt(matcher.group(2));
        return foundMajor > major || foundMajor == major && foundMinor >= minor;
    }
}
