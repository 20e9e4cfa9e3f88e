package io.txn.client.action;

/** What keeps an action and its ends from happening twice, too late or for nothing. */
public enum Fencing {
    /** The fence, with an action whose work stays in the database: what fails is rolled back whole and needs no cancel. */
    LOCAL,
    /** The fence, with an action that reaches beyond the database: one that failed half-way is cancelled, and its global transaction can only be rolled back. */
    REMOTE,
    /** None: the ends can be called repeatedly, before the action, without it, and while it runs, and cope with that themselves. */
    NONE
}
