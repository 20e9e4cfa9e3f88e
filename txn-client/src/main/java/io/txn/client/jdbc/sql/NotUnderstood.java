package io.txn.client.jdbc.sql;

/** SQL text that cannot be planned, and why; turned into a {@link Plan.Refused} before it leaves the package. */
final class NotUnderstood extends Exception {

    private static final long serialVersionUID = 1L;

    private final String rewrite;

    NotUnderstood(String reason, String rewrite) {
        super(reason, null, false, false);
        this.rewrite = rewrite;
    }

    Plan.Refused refused() {
        return new Plan.Refused(String.valueOf(getMessage()), rewrite);
    }
}
