package io.txn.client.jdbc.corpus;

import java.util.List;
import java.util.Set;

/**
 * One situation on one target.
 *
 * @param group file and name, without the variant
 * @param row where the table of outcomes has it
 * @param variant values of what is varied, comma-separated; may be empty
 * @param known what it is known to come out as until that is mended; the build does not fail then, and the table says so
 * @param varies columns, as {@code table.column}, whose values differ from run to run
 * @param left columns, likewise, that triggers may have set anew after a rollback
 * @param url what is added to the JDBC URL
 */
public record CorpusCase(
        String group,
        String row,
        String variant,
        Target target,
        Fixture fixture,
        Wanted wanted,
        Outcome known,
        Mode mode,
        Set<String> varies,
        Set<String> left,
        String url,
        List<Step> steps) {

    /** What should come out. */
    public enum Wanted {
        EXACT,
        REFUSED,
        /** Somebody outside changed a row meanwhile: nothing is undone, and a person is told. */
        ATTENTION
    }

    /** Local transactions. */
    public enum Mode {
        /** All in one, but where a step says otherwise. */
        TX,
        /** Auto-commit. */
        AUTO,
        /** One for each statement, on one connection. */
        SPLIT
    }

    public CorpusCase {
        varies = Set.copyOf(varies);
        left = Set.copyOf(left);
        steps = List.copyOf(steps);
    }

    /** What the case is called on any target. */
    public String name() {
        return variant.isEmpty() ? group : group + '[' + variant + ']';
    }

    @Override
    public String toString() {
        return target.word() + ':' + name();
    }
}
