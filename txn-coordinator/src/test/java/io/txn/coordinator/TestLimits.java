package io.txn.coordinator;

/** The usual bounds of a coordinator, but for what a test says. */
final class TestLimits {

    private static final CoordinatorOptions.Limits USUAL = CoordinatorOptions.Limits.DEFAULTS;

    private int mailbox = USUAL.mailbox();
    private long mailboxBytes = USUAL.mailboxBytes();
    private int unwritten = USUAL.unwritten();
    private int transactions = USUAL.transactions();
    private int branchesPerTransaction = USUAL.branchesPerTransaction();
    private int locksPerBranch = USUAL.locksPerBranch();
    private int textLength = USUAL.textLength();
    private int applicationDataLength = USUAL.applicationDataLength();
    private int callsInFlight = USUAL.callsInFlight();
    private int requestsPerConnection = USUAL.requestsPerConnection();
    private int resourcesPerConnection = USUAL.resourcesPerConnection();
    private int lockWaiters = USUAL.lockWaiters();
    private int lockWaitersPerConnection = USUAL.lockWaitersPerConnection();

    private TestLimits() {}

    static TestLimits usual() {
        return new TestLimits();
    }

    TestLimits mailbox(int to) {
        mailbox = to;
        return this;
    }

    TestLimits mailboxBytes(long to) {
        mailboxBytes = to;
        return this;
    }

    TestLimits unwritten(int to) {
        unwritten = to;
        return this;
    }

    TestLimits transactions(int to) {
        transactions = to;
        return this;
    }

    TestLimits branchesPerTransaction(int to) {
        branchesPerTransaction = to;
        return this;
    }

    TestLimits locksPerBranch(int to) {
        locksPerBranch = to;
        return this;
    }

    TestLimits textLength(int to) {
        textLength = to;
        return this;
    }

    TestLimits applicationDataLength(int to) {
        applicationDataLength = to;
        return this;
    }

    TestLimits callsInFlight(int to) {
        callsInFlight = to;
        return this;
    }

    TestLimits requestsPerConnection(int to) {
        requestsPerConnection = to;
        return this;
    }

    TestLimits resourcesPerConnection(int to) {
        resourcesPerConnection = to;
        return this;
    }

    TestLimits lockWaiters(int to) {
        lockWaiters = to;
        return this;
    }

    TestLimits lockWaitersPerConnection(int to) {
        lockWaitersPerConnection = to;
        return this;
    }

    CoordinatorOptions.Limits build() {
        return new CoordinatorOptions.Limits(
                mailbox,
                mailboxBytes,
                unwritten,
                transactions,
                branchesPerTransaction,
                locksPerBranch,
                textLength,
                applicationDataLength,
                callsInFlight,
                requestsPerConnection,
                resourcesPerConnection,
                lockWaiters,
                lockWaitersPerConnection);
    }
}
