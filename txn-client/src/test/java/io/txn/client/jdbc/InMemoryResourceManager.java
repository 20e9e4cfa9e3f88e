package io.txn.client.jdbc;

import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchRegistration;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.client.rm.ResourceManager;
import io.txn.protocol.BranchId;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import io.txn.protocol.extension.UndoDecision;
import io.txn.protocol.message.BranchStatus;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** A coordinator without a network: global transactions, branches in order, row locks granted all or none. Thread-safe. */
final class InMemoryResourceManager implements ResourceManager {

    private static final AtomicLong IDS = new AtomicLong(System.nanoTime() & 0xffff_ffffL);

    private final Map<BranchType, Map<String, BranchResource>> resources = new HashMap<>();
    private final Map<Xid, List<Registered>> transactions = new LinkedHashMap<>();
    private final Map<String, Xid> locks = new HashMap<>();
    private final Set<Xid> rollingBack = new HashSet<>();
    private final Set<Xid> decided = new HashSet<>();
    private final List<String> reports = new ArrayList<>();
    private final Set<BranchId> inPhaseOne = new HashSet<>();
    private final AtomicInteger underWay = new AtomicInteger();
    private volatile boolean lends;
    private final AtomicInteger lockQueries = new AtomicInteger();
    private volatile Runnable duringLockQuery = () -> {};
    private Runnable beforeRegister = () -> {};
    private volatile Runnable beforeUndoWanted = () -> {};
    private Runnable afterRegister = () -> {};

    /** A branch as it was registered. */
    record Registered(BranchId id, BranchRegistration registration) {
        Branch asBranch() {
            return asBranch(null);
        }

        Branch asBranch(UndoDecision decision) {
            return new Branch(
                    registration.xid(), id, registration.resourceId(), registration.applicationData(), decision);
        }
    }

    synchronized Xid begin() {
        Xid xid = Xid.of("127.0.0.1:8091", IDS.incrementAndGet());
        transactions.put(xid, new ArrayList<>());
        return xid;
    }

    /** How often somebody asked for locks without taking them, since the last time. */
    int lockQueries() {
        return lockQueries.getAndSet(0);
    }

    void duringLockQuery(Runnable action) {
        duringLockQuery = action;
    }

    /** Is done before it is said that an undo is wanted. */
    void beforeUndoWanted(Runnable action) {
        beforeUndoWanted = action;
    }

    @Override
    public boolean undoWanted(Xid xid, BranchId branch) {
        beforeUndoWanted.run();
        return true;
    }

    void beforeRegister(Runnable action) {
        beforeRegister = action;
    }

    void afterRegister(Runnable action) {
        afterRegister = action;
    }

    @Override
    public synchronized void register(BranchResource resource) {
        resources
                .computeIfAbsent(resource.branchType(), type -> new HashMap<>())
                .put(resource.resourceId(), resource);
    }

    @Override
    public BranchId registerBranch(BranchRegistration registration) {
        beforeRegister.run();
        BranchId id = registered(registration, null);
        afterRegister.run();
        return id;
    }

    /** From now on branches get ids before they are registered. */
    void lendIds() {
        lends = true;
    }

    @Override
    public BranchId lentBranchId(Xid xid) {
        return lends ? new BranchId(IDS.incrementAndGet()) : null;
    }

    /** Under way until it is awaited: then it is decided, and by then the undo record is written. */
    @Override
    public Registration startRegistration(BranchRegistration registration, BranchId lent) {
        beforeRegister.run();
        underWay.incrementAndGet();
        return () -> {
            underWay.decrementAndGet();
            BranchId id = registered(registration, lent);
            afterRegister.run();
            return id;
        };
    }

    /** Registrations that nobody has awaited. */
    int underWay() {
        return underWay.get();
    }

    private synchronized BranchId registered(BranchRegistration registration, BranchId lent) {
        Xid xid = registration.xid();
        List<Registered> branches = transactions.get(xid);
        if (branches == null) {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_FOUND, null, "xid", xid);
        }
        if (decided.contains(xid)) {
            throw new TxnException(ErrorCode.TRANSACTION_NOT_ACTIVE, null, "xid", xid);
        }
        List<String> keys = keys(registration.resourceId(), registration.lockKeys());
        for (String key : keys) {
            Xid holder = locks.get(key);
            if (holder != null && !holder.equals(xid)) {
                boolean doomed = rollingBack.contains(holder);
                throw new TxnException(
                        doomed ? ErrorCode.LOCK_CONFLICT_ROLLING_BACK : ErrorCode.LOCK_CONFLICT,
                        null,
                        "key",
                        key,
                        "holder",
                        holder);
            }
        }
        keys.forEach(key -> locks.put(key, xid));
        BranchId id = lent == null ? new BranchId(IDS.incrementAndGet()) : lent;
        branches.add(new Registered(id, registration));
        inPhaseOne.add(id);
        return id;
    }

    @Override
    public synchronized void phaseOneEnded(BranchId branch) {
        inPhaseOne.remove(branch);
    }

    @Override
    public synchronized void report(
            Xid xid, BranchId branch, BranchType type, BranchStatus status, String applicationData) {
        reports.add(status + " " + branch);
    }

    @Override
    public boolean lockable(Xid xid, String resourceId, String lockKeys) {
        lockQueries.incrementAndGet();
        duringLockQuery.run();
        return free(xid, resourceId, lockKeys);
    }

    private synchronized boolean free(Xid xid, String resourceId, String lockKeys) {
        return keys(resourceId, lockKeys).stream().allMatch(key -> {
            Xid holder = locks.get(key);
            return holder == null || holder.equals(xid);
        });
    }

    private static List<String> keys(String resourceId, String lockKeys) {
        List<String> keys = new ArrayList<>();
        if (lockKeys == null || lockKeys.isEmpty()) {
            return keys;
        }
        for (String group : lockKeys.split(";")) {
            int colon = group.indexOf(':');
            if (colon <= 0 || colon == group.length() - 1) {
                throw new TxnException(ErrorCode.BAD_REQUEST, null, "lockKeys", lockKeys);
            }
            for (String row : group.substring(colon + 1).split(",")) {
                keys.add(resourceId + '|' + group.substring(0, colon) + '|' + row);
            }
        }
        return keys;
    }

    /** The decision to commit: locks go first, then every branch is called. */
    BranchResult commit(Xid xid) {
        List<Registered> branches = decide(xid, false);
        BranchResult result = BranchResult.committed();
        for (Registered branch : branches) {
            BranchResult one = resource(branch).commit(branch.asBranch());
            result = one.done() ? result : one;
        }
        return result;
    }

    /** The decision to roll back: every branch is called, last one first, until one fails; then locks go. */
    BranchResult rollback(Xid xid) {
        return rollback(xid, null);
    }

    /** The same, with what a person decided about rows of its branches. */
    BranchResult rollback(Xid xid, UndoDecision decision) {
        List<Registered> branches = decide(xid, true);
        for (int i = branches.size() - 1; i >= 0; i--) {
            BranchResult one =
                    resource(branches.get(i)).rollback(branches.get(i).asBranch(decision));
            if (!one.done()) {
                return one;
            }
        }
        synchronized (this) {
            locks.values().removeIf(xid::equals);
        }
        return BranchResult.rolledBack();
    }

    private synchronized List<Registered> decide(Xid xid, boolean rollback) {
        decided.add(xid);
        if (rollback) {
            rollingBack.add(xid);
        } else {
            locks.values().removeIf(xid::equals);
        }
        return List.copyOf(transactions.get(xid));
    }

    private synchronized BranchResource resource(Registered branch) {
        return resources
                .get(branch.registration().type())
                .get(branch.registration().resourceId());
    }

    synchronized BranchResource resource(String id) {
        return resources.get(BranchType.AT).get(id);
    }

    synchronized BranchResource onlyResource() {
        return onlyResource(BranchType.AT);
    }

    synchronized BranchResource onlyResource(BranchType type) {
        Map<String, BranchResource> known = resources.getOrDefault(type, Map.of());
        if (known.size() != 1) {
            throw new AssertionError(known.keySet());
        }
        return known.values().iterator().next();
    }

    synchronized List<Registered> branches(Xid xid) {
        return List.copyOf(transactions.get(xid));
    }

    synchronized List<String> reports() {
        return List.copyOf(reports);
    }

    synchronized Set<BranchId> inPhaseOne() {
        return Set.copyOf(inPhaseOne);
    }

    /** As the decision to commit does, but no branch is called. */
    synchronized void releaseLocks(Xid xid) {
        decide(xid, false);
    }

    synchronized Set<String> locks() {
        return Set.copyOf(locks.keySet());
    }
}
