package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.LogText;
import org.jspecify.annotations.Nullable;

/**
 * What an examination found.
 *
 * @param code what is wrong; null: nothing is
 * @param subject what was looked at: a data source's name, an address, a key
 * @param seen what was seen there, on one line
 */
public record Finding(@Nullable ErrorCode code, String subject, String seen) {

    public Finding {
        subject = LogText.oneLine(subject);
        seen = LogText.oneLine(seen);
    }

    /** All is well with {@code subject}. */
    public static Finding well(String subject, String seen) {
        return new Finding(null, subject, seen);
    }

    /** Something is wrong with {@code subject}. */
    public static Finding problem(ErrorCode code, String subject, String seen) {
        return new Finding(code, subject, seen);
    }

    public boolean isProblem() {
        return code != null;
    }

    /** What to do about it; empty when nothing is wrong. */
    public String fix() {
        return code == null ? "" : code.fix();
    }
}
