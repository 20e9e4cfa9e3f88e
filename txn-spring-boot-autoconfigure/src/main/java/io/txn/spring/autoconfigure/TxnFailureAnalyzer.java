package io.txn.spring.autoconfigure;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.spring.doctor.Finding;
import io.txn.spring.doctor.KeysExamination;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;

/**
 * Says why a start failed and what to do: every error of this product carries both. Keys that nobody knows are told with it, since the doctor comes too late for that: one that is
 * misspelt may be why.
 */
final class TxnFailureAnalyzer extends AbstractFailureAnalyzer<TxnException> implements Ordered {

    private final @Nullable Environment environment;

    /** @param environment of the context that did not start, if it came so far */
    public TxnFailureAnalyzer(@Nullable Environment environment) {
        this.environment = environment;
    }

    /** Before the analyzers that only know that some bean could not be made. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 100;
    }

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, TxnException cause) {
        StringBuilder description = new StringBuilder(cause.code().id())
                .append(": ")
                .append(cause.code().sentence())
                .append('.');
        for (Map.Entry<String, Object> fact : cause.facts().entrySet()) {
            description
                    .append(System.lineSeparator())
                    .append("    ")
                    .append(fact.getKey())
                    .append(": ")
                    .append(fact.getValue());
        }
        if (cause.getCause() instanceof TxnException deeper) {
            description.append(System.lineSeparator()).append("    because: ").append(deeper.getMessage());
        }
        String fix = cause.code().fix();
        String action = Character.toUpperCase(fix.charAt(0))
                + fix.substring(1)
                + '.'
                + switch (cause.code()) {
                    case NO_COORDINATOR ->
                        " An application that may start before its coordinator sets txn.client.fail-fast=false.";
                    case COORDINATOR_NOT_CONFIGURED ->
                        " An application that needs no global transactions sets txn.enabled=false.";
                    default -> "";
                };
        for (Finding unknown : unknownKeys()) {
            description
                    .append(System.lineSeparator())
                    .append("    besides: ")
                    .append(ErrorCode.UNKNOWN_KEY.id())
                    .append(' ')
                    .append(unknown.subject())
                    .append(' ')
                    .append(unknown.seen());
        }
        return new FailureAnalysis(description.toString(), action, cause);
    }

    private List<Finding> unknownKeys() {
        if (!(environment instanceof ConfigurableEnvironment configurable)) {
            return List.of();
        }
        try {
            return new KeysExamination(configurable, TxnFailureAnalyzer.class.getClassLoader())
                    .examine().stream().filter(Finding::isProblem).toList();
        } catch (RuntimeException e) {
            return List.of(); // a source that cannot be read; what is to be told is why the start failed
        }
    }
}
