package io.txn.client;

import java.util.ArrayList;
import java.util.List;

/**
 * Which exceptions roll a global transaction back: all of them, except where a rule says otherwise. Of several rules that match, the one
 * nearest to the exception's own class wins; of two equally near ones, the one that rolls back. Immutable.
 */
public final class RollbackRules {

    /** Everything rolls back. */
    public static final RollbackRules ALL = new RollbackRules(List.of());

    private final List<Rule> rules;

    private RollbackRules(List<Rule> rules) {
        this.rules = rules;
    }

    /** These rules and one more: {@code type} and its subclasses roll back. */
    public RollbackRules rollbackFor(Class<? extends Throwable> type) {
        return with(new Rule(type.getName(), true, true));
    }

    /** These rules and one more: {@code type} and its subclasses do not roll back. */
    public RollbackRules noRollbackFor(Class<? extends Throwable> type) {
        return with(new Rule(type.getName(), true, false));
    }

    /** These rules and one more: a class whose full name contains {@code pattern}, and its subclasses, roll back. */
    public RollbackRules rollbackForClassName(String pattern) {
        return with(new Rule(requireText(pattern), false, true));
    }

    /** These rules and one more: a class whose full name contains {@code pattern}, and its subclasses, do not roll back. */
    public RollbackRules noRollbackForClassName(String pattern) {
        return with(new Rule(requireText(pattern), false, false));
    }

    /** Whether {@code failure} rolls back. */
    public boolean rollsBack(Throwable failure) {
        for (Class<?> type = failure.getClass(); type != null && type != Object.class; type = type.getSuperclass()) {
            boolean spared = false;
            for (Rule rule : rules) {
                if (rule.matches(type)) {
                    if (rule.rollsBack) {
                        return true;
                    }
                    spared = true;
                }
            }
            if (spared) {
                return false;
            }
        }
        return true;
    }

    private RollbackRules with(Rule rule) {
        List<Rule> more = new ArrayList<>(rules);
        more.add(rule);
        return new RollbackRules(List.copyOf(more));
    }

    private static String requireText(String pattern) {
        if (pattern.isBlank()) {
            throw new IllegalArgumentException("the name of an exception class is not blank");
        }
        return pattern;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RollbackRules that && rules.equals(that.rules);
    }

    @Override
    public int hashCode() {
        return rules.hashCode();
    }

    @Override
    public String toString() {
        return "RollbackRules" + rules;
    }

    private record Rule(String name, boolean whole, boolean rollsBack) {
        boolean matches(Class<?> type) {
            return whole ? type.getName().equals(name) : type.getName().contains(name);
        }
    }
}
