package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * What all examinations found at one time. Immutable.
 *
 * @param parts in the order of the screen
 */
public record Diagnosis(List<Part> parts) {

    /**
     * What one examination found.
     *
     * @param about its heading
     */
    public record Part(String about, List<Finding> findings) {
        public Part {
            findings = List.copyOf(findings);
        }
    }

    public Diagnosis {
        parts = List.copyOf(parts);
    }

    /** What is wrong. */
    public List<Finding> problems() {
        return parts.stream()
                .flatMap(part -> part.findings().stream())
                .filter(Finding::isProblem)
                .toList();
    }

    /** What is wrong, without what nobody wants to be told any more. */
    public List<Finding> problems(Set<String> accepted) {
        return problems().stream()
                .filter(finding -> !accepted.contains(
                        Objects.requireNonNull(finding.code()).id()))
                .toList();
    }

    /** Everything, a line for each finding, for people. */
    public String screen() {
        int about = 0;
        int subject = 0;
        for (Part part : parts) {
            about = Math.max(about, part.about().length());
            for (Finding finding : part.findings()) {
                subject = Math.max(subject, Math.min(32, finding.subject().length()));
            }
        }
        StringBuilder screen = new StringBuilder();
        for (Part part : parts) {
            String heading = part.about();
            for (Finding finding : part.findings()) {
                ErrorCode code = finding.code();
                screen.append("  ").append(padded(heading, about)).append("  ");
                if (!finding.subject().isEmpty()) {
                    screen.append(padded(finding.subject(), subject)).append("  ");
                }
                screen.append(code == null ? "" : code.id() + ' ')
                        .append(finding.seen())
                        .append(System.lineSeparator());
                heading = "";
            }
        }
        return screen.toString().stripTrailing();
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }

    /** A problem on one line: code, what is wrong, where, what was seen, what to do. */
    public static String line(Finding finding) {
        ErrorCode code = Objects.requireNonNull(finding.code());
        String where = finding.subject().isEmpty() ? "" : finding.subject() + ": ";
        return code.id() + ": " + code.sentence() + " [" + where + finding.seen() + "]. Fix: " + code.fix();
    }
}
