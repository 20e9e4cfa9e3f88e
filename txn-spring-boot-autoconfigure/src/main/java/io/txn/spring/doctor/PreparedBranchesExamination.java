package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/** Branches that databases keep prepared and no coordinator will end. Asks nobody: it tells what the last comparison found. */
public final class PreparedBranchesExamination implements Examination {

    private final Supplier<Set<String>> orphans;

    /** @param orphans as the databases name them */
    public PreparedBranchesExamination(Supplier<Set<String>> orphans) {
        this.orphans = orphans;
    }

    @Override
    public String about() {
        return "prepared branches";
    }

    @Override
    public List<Finding> examine() {
        return orphans.get().stream()
                .map(branch -> Finding.problem(ErrorCode.XA_ORPHAN, branch, "prepared, and nobody ends it"))
                .toList();
    }
}
