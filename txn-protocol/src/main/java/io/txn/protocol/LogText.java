package io.txn.protocol;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What strangers sent, for lines of logs. Stateless. */
public final class LogText {

    private static final int LONGEST = 1_000;

    /** Control characters, and what Unicode separates lines with. */
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cntrl}\\x{80}-\\x{9f}\\x{2028}\\x{2029}]");

    private LogText() {}

    /** In a form that cannot pass for lines of our own: brief, and with a question mark for each control character. */
    public static String oneLine(@Nullable Object said) {
        String text = String.valueOf(said);
        String brief = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + '…';
        return CONTROL.matcher(brief).replaceAll("?");
    }

    /** Whether a text holds what {@link #oneLine} replaces. */
    public static boolean breaksLines(String text) {
        return CONTROL.matcher(text).find();
    }
}
