package io.txn.spring.doctor;

import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.LookupStep;
import io.txn.protocol.ErrorCode;
import java.util.List;

/** Goes the way to coordinators through the registry, and says at which step it ends. */
public final class RegistryExamination implements Examination {

    private final CoordinatorLocator locator;

    public RegistryExamination(CoordinatorLocator locator) {
        this.locator = locator;
    }

    @Override
    public String about() {
        return "found by";
    }

    @Override
    public List<Finding> examine() {
        List<LookupStep> steps = locator.examine();
        for (LookupStep step : steps) {
            if (!step.passed()) {
                return List.of(Finding.problem(code(step.kind()), "", step.seen()));
            }
        }
        String last = steps.isEmpty() ? "" : "; " + steps.get(steps.size() - 1).seen();
        return List.of(Finding.well("", locator.description() + last));
    }

    private static ErrorCode code(LookupStep.Kind step) {
        return switch (step) {
            case NAME -> ErrorCode.REGISTRY_NAME_UNKNOWN;
            case CONNECTION -> ErrorCode.REGISTRY_UNREACHABLE;
            case CREDENTIALS -> ErrorCode.REGISTRY_REFUSES;
            case NAMESPACE -> ErrorCode.REGISTRY_NAMESPACE_UNKNOWN;
            case SERVICE -> ErrorCode.REGISTRY_SERVICE_UNKNOWN;
            case INSTANCE -> ErrorCode.REGISTRY_INSTANCE_UNUSABLE;
        };
    }
}
