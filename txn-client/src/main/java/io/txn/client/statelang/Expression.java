package io.txn.client.statelang;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a definition computes: a closed set of operations over JSON values (maps, lists, text, truth values, numbers, null). Evaluating one calls, loads and changes nothing. Immutable; made by
 * {@link ExpressionReader}.
 */
sealed interface Expression {

    /**
     * @param root what {@code #root} is, and of what {@code [name]} is a variable
     * @throws FailedException when it has no value for this root
     */
    @Nullable
    Object on(@Nullable Object root) throws FailedException;

    /**
     * Adds the variables that it looks at.
     *
     * @return false when it may look at any
     */
    boolean variables(Set<String> into);

    /** An expression has no value. Its message holds no data. */
    final class FailedException extends Exception {

        private static final long serialVersionUID = 1L;

        FailedException(String problem) {
            super(problem, null, false, false);
        }
    }

    /** Text, number, true, false, null. */
    record Literal(@Nullable Object value) implements Expression {
        @Override
        public @Nullable Object on(@Nullable Object root) {
            return value;
        }

        @Override
        public boolean variables(Set<String> into) {
            return true;
        }
    }

    /** {@code #root}. */
    record Root() implements Expression {
        @Override
        public @Nullable Object on(@Nullable Object root) {
            return root;
        }

        @Override
        public boolean variables(Set<String> into) {
            return false;
        }
    }

    /**
     * {@code of[name]}, {@code of.name}, {@code of?.name}.
     *
     * @param required whether it has to be there: a property has, an entry of a map has not
     * @param safe whether null has null
     */
    record Member(Expression of, String name, boolean required, boolean safe) implements Expression {
        @Override
        public @Nullable Object on(@Nullable Object root) throws FailedException {
            Object whole = of.on(root);
            if (whole == null && safe) {
                return null;
            }
            if (!(whole instanceof Map<?, ?> map)) {
                throw new FailedException("there is no " + name + " of " + kind(whole));
            }
            if (required && !map.containsKey(name)) {
                throw new FailedException("there is no property " + name);
            }
            return map.get(name);
        }

        @Override
        public boolean variables(Set<String> into) {
            if (of instanceof Root) {
                into.add(name);
                return true;
            }
            return of.variables(into);
        }
    }

    /** {@code of[3]}. */
    record Element(Expression of, int index) implements Expression {
        @Override
        public @Nullable Object on(@Nullable Object root) throws FailedException {
            Object whole = of.on(root);
            if (!(whole instanceof List<?> list)) {
                throw new FailedException("there is no element " + index + " of " + kind(whole));
            }
            if (index >= list.size()) {
                throw new FailedException("there is no element " + index + " in a list of " + list.size());
            }
            return list.get(index);
        }

        @Override
        public boolean variables(Set<String> into) {
            return of.variables(into);
        }
    }

    /** {@code of.size()}, {@code of.length()}, {@code of.isEmpty()}. */
    record Size(Expression of, boolean empty) implements Expression {
        @Override
        public Object on(@Nullable Object root) throws FailedException {
            Object whole = of.on(root);
            int size;
            if (whole instanceof Map<?, ?> map) {
                size = map.size();
            } else if (whole instanceof List<?> list) {
                size = list.size();
            } else if (whole instanceof String text) {
                size = text.length();
            } else {
                throw new FailedException("there is no size of " + kind(whole));
            }
            return empty ? (Object) (size == 0) : (Object) size;
        }

        @Override
        public boolean variables(Set<String> into) {
            return of.variables(into);
        }
    }

    /** {@code !of}. */
    record Not(Expression of) implements Expression {
        @Override
        public Object on(@Nullable Object root) throws FailedException {
            return !truth(of.on(root));
        }

        @Override
        public boolean variables(Set<String> into) {
            return of.variables(into);
        }
    }

    /** What stands between two values. */
    enum Operator {
        OR,
        AND,
        EQUAL,
        UNEQUAL,
        LESS,
        AT_MOST,
        GREATER,
        AT_LEAST,
        PLUS,
        MINUS,
        TIMES,
        BY,
        REST
    }

    /** {@code left operator right}. */
    record Binary(Operator operator, Expression left, Expression right) implements Expression {
        @Override
        public Object on(@Nullable Object root) throws FailedException {
            Object first = left.on(root);
            if (operator == Operator.OR || operator == Operator.AND) {
                boolean decided = truth(first) == (operator == Operator.OR);
                return decided ? truth(first) : truth(right.on(root));
            }
            Object second = right.on(root);
            return switch (operator) {
                case EQUAL -> same(first, second);
                case UNEQUAL -> !same(first, second);
                case LESS -> compare(first, second) < 0;
                case AT_MOST -> compare(first, second) <= 0;
                case GREATER -> compare(first, second) > 0;
                case AT_LEAST -> compare(first, second) >= 0;
                case PLUS, MINUS, TIMES, BY, REST -> computed(first, second);
                case OR, AND -> throw new AssertionError(operator);
            };
        }

        @Override
        public boolean variables(Set<String> into) {
            return left.variables(into) & right.variables(into);
        }

        private static boolean same(@Nullable Object first, @Nullable Object second) {
            if (first instanceof Number && second instanceof Number) {
                return decimal(first).compareTo(decimal(second)) == 0;
            }
            return first == null ? second == null : first.equals(second);
        }

        private static int compare(@Nullable Object first, @Nullable Object second) throws FailedException {
            if (first instanceof Number && second instanceof Number) {
                return decimal(first).compareTo(decimal(second));
            }
            if (first instanceof String one && second instanceof String other) {
                return one.compareTo(other);
            }
            throw new FailedException(kind(first) + " and " + kind(second) + " have no order");
        }

        private Object computed(@Nullable Object first, @Nullable Object second) throws FailedException {
            if (operator == Operator.PLUS && (first instanceof String || second instanceof String)) {
                return text(first) + text(second);
            }
            if (!(first instanceof Number) || !(second instanceof Number)) {
                throw new FailedException("nothing is computed of " + kind(first) + " and " + kind(second));
            }
            BigDecimal one = decimal(first);
            BigDecimal other = decimal(second);
            boolean divides = operator == Operator.BY || operator == Operator.REST;
            if (divides && other.signum() == 0) {
                throw new FailedException("nothing is divided by 0");
            }
            // Whole numbers give whole numbers.
            boolean whole = first instanceof Integer && second instanceof Integer;
            BigDecimal result = computed(one, other, whole);
            return number(result, whole);
        }

        private BigDecimal computed(BigDecimal one, BigDecimal other, boolean whole) throws FailedException {
            try {
                return switch (operator) {
                    case PLUS -> one.add(other, MathContext.DECIMAL128);
                    case MINUS -> one.subtract(other, MathContext.DECIMAL128);
                    case TIMES -> one.multiply(other, MathContext.DECIMAL128);
                    case BY -> whole ? one.divideToIntegralValue(other) : one.divide(other, MathContext.DECIMAL128);
                    case REST -> one.remainder(other, MathContext.DECIMAL128);
                    case OR, AND, EQUAL, UNEQUAL, LESS, AT_MOST, GREATER, AT_LEAST ->
                        throw new AssertionError(operator);
                };
            } catch (ArithmeticException e) {
                throw new FailedException("two numbers are too far apart");
            }
        }

        private static Object number(BigDecimal value, boolean whole) {
            if (whole) {
                BigInteger integer = value.toBigInteger();
                if (integer.bitLength() < Integer.SIZE) {
                    return integer.intValue();
                }
            }
            return value;
        }

        private static String text(@Nullable Object value) throws FailedException {
            if (value instanceof Map<?, ?> || value instanceof List<?>) {
                throw new FailedException("no text is made of " + kind(value));
            }
            return String.valueOf(value);
        }
    }

    /** Null is false: a variable that nothing was put into. */
    static boolean truth(@Nullable Object value) throws FailedException {
        if (value == null) {
            return false;
        }
        if (value instanceof Boolean truth) {
            return truth;
        }
        throw new FailedException(kind(value) + " is neither true nor false");
    }

    private static BigDecimal decimal(Object number) {
        return number instanceof BigDecimal decimal ? decimal : BigDecimal.valueOf(((Number) number).longValue());
    }

    private static String kind(@Nullable Object value) {
        if (value == null) {
            return "null";
        } else if (value instanceof Map<?, ?>) {
            return "an object";
        } else if (value instanceof List<?>) {
            return "a list";
        } else if (value instanceof Number) {
            return "a number";
        }
        return value instanceof String ? "a text" : "a truth value";
    }
}
