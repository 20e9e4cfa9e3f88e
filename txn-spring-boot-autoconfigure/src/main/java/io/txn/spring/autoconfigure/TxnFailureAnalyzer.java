package io.txn.spring.autoconfigure;

import io.txn.protocol.TxnException;
import java.util.Map;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;

/** Says why a start failed and what to do: every error of this product carries both. */
final class TxnFailureAnalyzer extends AbstractFailureAnalyzer<TxnException> implements Ordered {

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
        return new FailureAnalysis(description.toString(), action, cause);
    }
}
