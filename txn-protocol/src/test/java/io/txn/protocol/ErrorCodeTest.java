package io.txn.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.GeneratedDoc;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ErrorCodeTest {

    private static final Map<String, String> AREAS = areas();

    private static Map<String, String> areas() {
        Map<String, String> areas = new LinkedHashMap<>();
        areas.put("NET", "Reaching the coordinator");
        areas.put("TX", "Global transactions");
        areas.put("AT", "Statements and undo");
        areas.put("LCK", "Global locks");
        areas.put("CRD", "The coordinator");
        areas.put("CFG", "Configuration and start-up");
        areas.put("DOC", "What the doctor finds");
        areas.put("ADM", "The admin API");
        areas.put("SEC", "TLS and credentials");
        areas.put("ACT", "Actions (TCC, sagas) and the fence");
        areas.put("XA", "Transactions that databases prepare");
        areas.put("SGA", "Sagas that the coordinator drives");
        return areas;
    }

    @Test
    void thePageOfErrorsSaysWhatTheCodeSays() {
        StringBuilder page = new StringBuilder("""
                # Errors

                Every error reads `TXN-<area><number>: <what happened> [facts of the case]. Fix: <what to do>`. A code keeps its meaning for ever, so it
                can be searched for. This page is generated from `io.txn.protocol.ErrorCode`.

                What a caller can do:

                | Category | Meaning |
                |---|---|
                | RETRY | nothing happened; the same call may succeed later |
                | GIVE_UP | nothing happened, and the same call will fail again |
                | OPERATOR | a person has to act |
                | UNKNOWN_OUTCOME | it may or may not have happened: look before repeating |
                """);
        AREAS.forEach((area, title) -> {
            page.append("\n## ")
                    .append(title)
                    .append("\n\n| Code | Category | What happened | Fix |\n|---|---|---|---|\n");
            for (ErrorCode code : ErrorCode.values()) {
                if (area.equals(area(code))) {
                    page.append("| ")
                            .append(String.join(
                                    " | ",
                                    code.id() + " " + code.name(),
                                    code.category().name(),
                                    code.sentence(),
                                    code.fix().replace("<", "&lt;").replace(">", "&gt;")))
                            .append(" |\n");
                }
            }
        });
        GeneratedDoc.of("errors.md").check(page.toString());
    }

    @Test
    void everyAreaIsOnThePage() {
        assertThat(ErrorCode.values()).allSatisfy(code -> assertThat(AREAS).containsKey(area(code)));
    }

    @Test
    void noCodeIsUsedTwice() {
        List<String> ids = Arrays.stream(ErrorCode.values()).map(ErrorCode::id).toList();
        assertThat(ids).doesNotHaveDuplicates();
    }

    private static String area(ErrorCode code) {
        return code.id().replaceAll("TXN-([A-Z]+)\\d+", "$1");
    }
}
