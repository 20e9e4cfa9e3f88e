package io.txn.spring.propagation;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** The headers of a global transaction. Requests: the XID, for which Seata's clients use the same, and the time that is left. Answers: what was done. */
public final class XidHeader {

    /** The XID. */
    public static final String NAME = "TX_XID";

    /** How many milliseconds are left until the deadline. A span and no time of day, because clocks differ. */
    public static final String REMAINING = "TX_REMAINING";

    /** Of calls: who signed the above, and when. */
    public static final String SIGNATURE = "TX_SIGNATURE";

    /**
     * The kind of the branch that a call is made in, as Seata's integrations of RPC frameworks send it: they write the kind that is bound, and heed nothing but TCC. Not for HTTP.
     */
    public static final String BRANCH_TYPE = "TX_BRANCH_TYPE";

    /** Whether something was kept that only a rollback undoes: 1, or 0. */
    public static final String WORK = "TX_WORK";

    /** Why the transaction may only be rolled back, URL-encoded. */
    public static final String ROLLBACK_ONLY = "TX_ROLLBACK_ONLY";

    static final String SOME_WORK = "1";
    static final String NO_WORK = "0";

    private static final int LONGEST = 1_500;

    private XidHeader() {}

    /** As a header holds it; longer texts are cut. */
    static String encoded(String text) {
        String part = text;
        while (true) {
            String encoded = URLEncoder.encode(part, StandardCharsets.UTF_8);
            if (encoded.length() <= LONGEST) {
                return encoded;
            }
            part = part.substring(0, part.length() * LONGEST / encoded.length());
        }
    }

    /** What a header holds; as it is when it is not of that form. */
    static String decoded(String header) {
        try {
            return URLDecoder.decode(header, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return header;
        }
    }
}
