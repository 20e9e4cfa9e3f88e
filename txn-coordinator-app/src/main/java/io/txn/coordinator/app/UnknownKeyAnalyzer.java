package io.txn.coordinator.app;

import java.util.stream.Collectors;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Names keys that nobody knows, and not their values as Boot's own analyzer does: behind a misspelt key there may be a secret. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class UnknownKeyAnalyzer extends AbstractFailureAnalyzer<UnboundConfigurationPropertiesException> {

    @Override
    protected FailureAnalysis analyze(Throwable root, UnboundConfigurationPropertiesException cause) {
        String keys = cause.getUnboundProperties().stream()
                .map(property -> System.lineSeparator() + "    " + property.getName()
                        + (property.getOrigin() == null ? "" : " at " + property.getOrigin()))
                .sorted()
                .collect(Collectors.joining());
        return new FailureAnalysis(
                "There are no such configuration keys:" + keys,
                "Correct or remove them. The page configuration-coordinator of the documentation lists every key.",
                cause);
    }
}
