package io.txn.samples.annotatedsaga;

/** Nobody can be called that. */
final class NotAGuestException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** What the table has room for. */
    private static final int LONGEST = 20;

    private NotAGuestException(int length) {
        super("a guest's name has 1 to " + LONGEST + " characters, and this one has " + length);
    }

    static void require(String guest) {
        if (guest.isBlank() || guest.length() > LONGEST) {
            throw new NotAGuestException(guest.strip().length());
        }
    }
}
