package io.txn.client.statelang;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A value of Input or Output: JSON in which texts may be expressions. Immutable. */
sealed interface Template {

    /**
     * @param root what the expressions look at
     * @param sequence what a sequence gives: the same for each call of one execution, and no other
     */
    @Nullable
    Object on(@Nullable Object root, String sequence) throws Expression.FailedException;

    /** As {@link Expression#variables}. */
    boolean variables(Set<String> into);

    /** {@code $.<expression>}. */
    record Computed(Expression expression, String text) implements Template {
        @Override
        public @Nullable Object on(@Nullable Object root, String sequence) throws Expression.FailedException {
            try {
                return expression.on(root);
            } catch (Expression.FailedException e) {
                throw new Expression.FailedException(text + ": " + e.getMessage());
            }
        }

        @Override
        public boolean variables(Set<String> into) {
            return expression.variables(into);
        }
    }

    /** {@code $Sequence.…}. */
    record Sequence() implements Template {
        @Override
        public Object on(@Nullable Object root, String sequence) {
            return sequence;
        }

        @Override
        public boolean variables(Set<String> into) {
            return true;
        }
    }

    /** Text, number, true, false, null. */
    record Fixed(@Nullable Object value) implements Template {
        @Override
        public @Nullable Object on(@Nullable Object root, String sequence) {
            return value;
        }

        @Override
        public boolean variables(Set<String> into) {
            return true;
        }
    }

    /** A list of such values. */
    record Listed(List<Template> elements) implements Template {
        public Listed {
            elements = List.copyOf(elements);
        }

        @Override
        public List<@Nullable Object> on(@Nullable Object root, String sequence) throws Expression.FailedException {
            List<@Nullable Object> list = new ArrayList<>();
            for (Template element : elements) {
                list.add(element.on(root, sequence));
            }
            return list;
        }

        @Override
        public boolean variables(Set<String> into) {
            boolean known = true;
            for (Template element : elements) {
                known &= element.variables(into);
            }
            return known;
        }
    }

    /** An object of such values; what is null is left out. */
    record Mapped(Map<String, Template> entries) implements Template {
        public Mapped {
            entries = new LinkedHashMap<>(entries);
        }

        @Override
        public Map<String, @Nullable Object> on(@Nullable Object root, String sequence)
                throws Expression.FailedException {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            for (Map.Entry<String, Template> entry : entries.entrySet()) {
                Object value = entry.getValue().on(root, sequence);
                if (value != null) {
                    map.put(entry.getKey(), value);
                }
            }
            return map;
        }

        @Override
        public boolean variables(Set<String> into) {
            boolean known = true;
            for (Template entry : entries.values()) {
                known &= entry.variables(into);
            }
            return known;
        }
    }
}
