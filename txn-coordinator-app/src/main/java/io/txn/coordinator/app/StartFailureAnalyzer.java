package io.txn.coordinator.app;

import io.txn.protocol.TxnException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/**
 * Says what keeps the coordinator from starting and what to do about it: the data directory in use, a damaged or newer journal, a taken port, a
 * value that is not valid. Before Boot's own analyzers, which know less about the cause.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class StartFailureAnalyzer extends AbstractFailureAnalyzer<TxnException> {

    @Override
    protected FailureAnalysis analyze(Throwable root, TxnException cause) {
        StringBuilder description = new StringBuilder(cause.code().id())
                .append(": ")
                .append(cause.code().sentence())
                .append('.');
        cause.facts().forEach((key, value) -> description
                .append(System.lineSeparator())
                .append("    ")
                .append(key)
                .append(": ")
                .append(value));
        Throwable deeper = cause.getCause();
        if (deeper != null && !cause.facts().containsValue(deeper)) {
            description.append(System.lineSeparator()).append("    because of ").append(deeper);
        }
        return new FailureAnalysis(description.toString(), sentence(cause.code().fix()), cause);
    }

    private static String sentence(String fix) {
        return Character.toUpperCase(fix.charAt(0)) + fix.substring(1) + '.';
    }
}
