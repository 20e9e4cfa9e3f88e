package io.txn.protocol;

/**
 * Every error that a user can meet, with a constant sentence and what to do about it. A code is never reused for another meaning.
 * {@code docs/errors.md} is generated from this list.
 *
 * <p>Areas: {@code CFG} configuration and start-up, {@code NET} reaching the coordinator, {@code TX} global transactions, {@code AT}
 * statements and undo, {@code LCK} global locks, {@code CRD} the coordinator itself, {@code ADM} the admin API.
 */
public enum ErrorCode {
    NO_COORDINATOR(
            "TXN-NET001",
            Category.RETRY,
            "no coordinator could be reached",
            "start the coordinator, or correct txn.coordinator.address (host:port) or the registry settings; check that the port is open"),
    REQUEST_TIMED_OUT(
            "TXN-NET002",
            Category.UNKNOWN_OUTCOME,
            "the coordinator did not answer in time",
            "look the XID up at the coordinator before repeating the business call; raise txn.client.request-timeout if the coordinator is merely slow"),
    CONNECTION_LOST(
            "TXN-NET003",
            Category.UNKNOWN_OUTCOME,
            "the connection to the coordinator broke before the answer came",
            "look the XID up at the coordinator before repeating the business call"),
    REGISTRATION_REFUSED(
            "TXN-NET004",
            Category.OPERATOR,
            "the coordinator refused this application's registration",
            "read the coordinator's log for the reason, and compare credentials, version and resource ids");

    /** What the caller can do about an error. */
    public enum Category {
        /** Nothing happened; the same call may succeed later. */
        RETRY,
        /** Nothing happened, and the same call will fail again. */
        GIVE_UP,
        /** A person has to act. */
        OPERATOR,
        /** It may or may not have happened. */
        UNKNOWN_OUTCOME
    }

    private final String id;
    private final Category category;
    private final String sentence;
    private final String fix;

    ErrorCode(String id, Category category, String sentence, String fix) {
        if (!id.matches("TXN-[A-Z]{2,3}\\d{3}") || sentence.isBlank() || fix.isBlank()) {
            throw new IllegalArgumentException("an error code needs a well-formed id, a sentence and a fix: " + id);
        }
        this.id = id;
        this.category = category;
        this.sentence = sentence;
        this.fix = fix;
    }

    /** The stable id, {@code TXN-<area><nnn>}. */
    public String id() {
        return id;
    }

    public Category category() {
        return category;
    }

    /** What happened, as a constant text. */
    public String sentence() {
        return sentence;
    }

    /** What the reader can do about it. */
    public String fix() {
        return fix;
    }
}
