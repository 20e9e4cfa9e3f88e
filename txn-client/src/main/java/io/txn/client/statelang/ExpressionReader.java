package io.txn.client.statelang;

import io.txn.client.statelang.Expression.Operator;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the part of the Spring expression language that definitions need, by itself: variables ({@code [name]}), properties, elements, sizes, literals, comparisons, logic, arithmetic. Everything
 * else is refused with what may be written instead. For one text and one thread.
 */
final class ExpressionReader {

    static final int LONGEST = 1_000;
    static final int DEEPEST = 32;

    private static final List<Map.Entry<String, Operator>> OR = List.of(Map.entry("||", Operator.OR));
    private static final List<Map.Entry<String, Operator>> AND = List.of(Map.entry("&&", Operator.AND));
    private static final List<Map.Entry<String, Operator>> ORDER = List.of(
            Map.entry("==", Operator.EQUAL),
            Map.entry("!=", Operator.UNEQUAL),
            Map.entry("<=", Operator.AT_MOST),
            Map.entry(">=", Operator.AT_LEAST),
            Map.entry("<", Operator.LESS),
            Map.entry(">", Operator.GREATER));
    private static final List<Map.Entry<String, Operator>> SUM =
            List.of(Map.entry("+", Operator.PLUS), Map.entry("-", Operator.MINUS));
    private static final List<Map.Entry<String, Operator>> PRODUCT =
            List.of(Map.entry("*", Operator.TIMES), Map.entry("/", Operator.BY), Map.entry("%", Operator.REST));

    private static final Map<String, Operator> WORDS = Map.ofEntries(
            Map.entry("or", Operator.OR),
            Map.entry("and", Operator.AND),
            Map.entry("eq", Operator.EQUAL),
            Map.entry("ne", Operator.UNEQUAL),
            Map.entry("lt", Operator.LESS),
            Map.entry("le", Operator.AT_MOST),
            Map.entry("gt", Operator.GREATER),
            Map.entry("ge", Operator.AT_LEAST));

    private static final String IN_A_SERVICE = "a service that answers it, and its Output";

    /** A text that is outside of what is read. */
    static final class UnreadException extends Exception {

        private static final long serialVersionUID = 1L;

        private final int at;
        private final String instead;

        UnreadException(int at, String problem, String instead) {
            super(problem, null, false, false);
            this.at = at;
            this.instead = instead;
        }

        /** Where, counted from 1. */
        int column() {
            return at + 1;
        }

        String instead() {
            return instead;
        }
    }

    private final String text;
    private int at;

    private ExpressionReader(String text) {
        this.text = text;
    }

    static Expression read(String text) throws UnreadException {
        if (text.length() > LONGEST) {
            throw new UnreadException(LONGEST, "it is longer than " + LONGEST + " characters", IN_A_SERVICE);
        }
        ExpressionReader reader = new ExpressionReader(text);
        Expression read = reader.binary(0, 0);
        reader.blanks();
        if (reader.at < text.length()) {
            throw reader.unread(reader.what());
        }
        return read;
    }

    /** What stands here that is not read, in words, and what may be written instead. */
    private String[] what() {
        char c = text.charAt(at);
        if (c == '?') {
            return new String[] {"conditions (?:) are not read", "a Choice, or " + IN_A_SERVICE};
        } else if (c == '=') {
            return new String[] {"nothing is assigned", "== to compare, Output to keep a value"};
        } else if (c == '{') {
            return new String[] {"lists and maps are not written in expressions", "the JSON of Input itself: [..], {..}"
            };
        } else if (c == '@') {
            return new String[] {"beans are not looked up", "a ServiceTask that calls the bean"};
        } else if (c == '(') {
            return new String[] {
                "no method is called here but size(), length() and isEmpty()", "a ServiceTask that calls it"
            };
        } else if (Character.isLetter(c)) {
            return new String[] {
                "the word " + word() + " is not read here", "[name] for a variable, == != < <= > >= && || ! + - * / %"
            };
        }
        return new String[] {"'" + c + "' is not read here", "== != < <= > >= && || ! + - * / % between values"};
    }

    private UnreadException unread(String[] words) {
        return new UnreadException(at, words[0], words[1]);
    }

    private UnreadException unread(String problem, String instead) {
        return new UnreadException(at, problem, instead);
    }

    private void blanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private boolean took(String wanted) {
        blanks();
        if (!text.startsWith(wanted, at)) {
            return false;
        }
        at += wanted.length();
        return true;
    }

    private String word() {
        int end = at;
        while (end < text.length() && Character.isJavaIdentifierPart(text.charAt(end))) {
            end++;
        }
        return text.substring(at, end);
    }

    private static List<Map.Entry<String, Operator>> operators(int level) {
        return switch (level) {
            case 0 -> OR;
            case 1 -> AND;
            case 2 -> ORDER;
            case 3 -> SUM;
            default -> PRODUCT;
        };
    }

    private @Nullable Operator operator(int level) {
        blanks();
        for (Map.Entry<String, Operator> one : operators(level)) {
            if (text.startsWith(one.getKey(), at)) {
                at += one.getKey().length();
                return one.getValue();
            }
        }
        String word = at < text.length() && Character.isLetter(text.charAt(at)) ? word() : "";
        Operator named = WORDS.get(word.toLowerCase(Locale.ROOT));
        if (named != null && operators(level).stream().anyMatch(one -> one.getValue() == named)) {
            at += word.length();
            return named;
        }
        return null;
    }

    private Expression binary(int level, int depth) throws UnreadException {
        if (depth > DEEPEST) {
            throw unread("it is nested too deeply", IN_A_SERVICE);
        }
        if (level == 5) {
            return unary(depth);
        }
        Expression left = binary(level + 1, depth);
        Operator operator;
        int more = depth;
        while ((operator = operator(level)) != null) {
            if (++more > DEEPEST) {
                throw unread("it is too long a chain", IN_A_SERVICE);
            }
            left = new Expression.Binary(operator, left, binary(level + 1, depth));
            if (level == 2) {
                break;
            }
        }
        return left;
    }

    private Expression unary(int depth) throws UnreadException {
        if (depth > DEEPEST) {
            throw unread("it is nested too deeply", IN_A_SERVICE);
        }
        blanks();
        if (at < text.length() && text.charAt(at) == '!' && !text.startsWith("!=", at)) {
            at++;
            return new Expression.Not(unary(depth + 1));
        }
        if (took("-")) {
            return new Expression.Binary(Operator.MINUS, new Expression.Literal(0), unary(depth + 1));
        }
        return path(depth);
    }

    private Expression path(int depth) throws UnreadException {
        Expression read = primary(depth);
        int members = 0;
        while (true) {
            if (++members > DEEPEST) {
                throw unread("it has too many parts", IN_A_SERVICE);
            }
            boolean safe = took("?.");
            if (safe || took(".")) {
                blanks();
                if (at < text.length() && "?!^$".indexOf(text.charAt(at)) >= 0) {
                    throw unread("nothing is selected from lists", IN_A_SERVICE);
                }
                String name = word();
                if (name.isEmpty()) {
                    throw unread("a name is missing after the dot", "[variable].property");
                }
                at += name.length();
                read = took("(") ? called(read, name) : new Expression.Member(read, name, true, safe);
            } else if (took("[")) {
                read = indexed(read);
            } else {
                return read;
            }
        }
    }

    private Expression called(Expression of, String method) throws UnreadException {
        boolean known = method.equals("size") || method.equals("length") || method.equals("isEmpty");
        if (!known || !took(")")) {
            at -= method.length() + 1;
            throw unread(
                    "the method " + method + " is not called",
                    "size(), length(), isEmpty(), properties and comparisons; else a ServiceTask that calls it");
        }
        return new Expression.Size(of, method.equals("isEmpty"));
    }

    /** Behind the bracket. */
    private Expression indexed(Expression of) throws UnreadException {
        blanks();
        int from = at;
        Expression read;
        if (at < text.length() && Character.isDigit(text.charAt(at))) {
            while (at < text.length() && Character.isDigit(text.charAt(at))) {
                at++;
            }
            if (at - from > 6) {
                throw unread("an index has at most six digits", "[variable][0]");
            }
            read = new Expression.Element(of, Integer.parseInt(text.substring(from, at)));
        } else if (at < text.length() && (text.charAt(at) == '\'' || text.charAt(at) == '"')) {
            read = new Expression.Member(of, quoted(), false, false);
        } else {
            String name = word();
            if (name.isEmpty()) {
                throw unread("an index is a name or a number", "[name], ['a name'], [0]");
            }
            at += name.length();
            read = new Expression.Member(of, name, false, false);
        }
        if (!took("]")) {
            throw unread("']' is missing: an index is a name or a number", "[name], ['a name'], [0]");
        }
        return read;
    }

    private String quoted() throws UnreadException {
        char quote = text.charAt(at);
        int from = at++;
        StringBuilder out = new StringBuilder();
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == quote) {
                if (at >= text.length() || text.charAt(at) != quote) {
                    return out.toString();
                }
                at++;
            }
            out.append(c);
        }
        at = from;
        throw unread("a text does not end", "'text'");
    }

    private Expression primary(int depth) throws UnreadException {
        blanks();
        if (at >= text.length()) {
            throw unread("a value is missing", "[name], #root, a number, 'text', true, false, null");
        }
        char c = text.charAt(at);
        if (took("(")) {
            Expression inside = binary(0, depth + 1);
            if (!took(")")) {
                throw at < text.length() ? unread(what()) : unread("')' is missing", "( … )");
            }
            return inside;
        } else if (took("[")) {
            return indexed(new Expression.Root());
        } else if (c == '\'' || c == '"') {
            return new Expression.Literal(quoted());
        } else if (Character.isDigit(c)) {
            return new Expression.Literal(number());
        } else if (c == '#') {
            at++;
            String name = word();
            if (!name.equals("root")) {
                at--;
                throw unread("there is no variable #" + name, "#root, or [" + name + "]");
            }
            at += name.length();
            return new Expression.Root();
        } else if (Character.isJavaIdentifierStart(c)) {
            return named(depth);
        }
        throw unread(what());
    }

    private Expression named(int depth) throws UnreadException {
        String name = word();
        boolean calls = text.startsWith("(", at + name.length());
        if (name.equals("T") && calls) {
            throw unread("types are not looked up", "the value itself, or " + IN_A_SERVICE);
        }
        if (calls) {
            throw unread("the method " + name + " is not called", "a ServiceTask that calls it");
        }
        if (name.equals("new")) {
            throw unread(
                    "nothing is made in an expression", "the JSON of Input itself: {..}, for a parameter of that type");
        }
        at += name.length();
        return switch (name) {
            case "true" -> new Expression.Literal(true);
            case "false" -> new Expression.Literal(false);
            case "null" -> new Expression.Literal(null);
            case "not" -> new Expression.Not(unary(depth + 1));
            default -> new Expression.Member(new Expression.Root(), name, true, false);
        };
    }

    private Object number() throws UnreadException {
        int from = at;
        while (at < text.length() && (Character.isDigit(text.charAt(at)) || text.charAt(at) == '.')) {
            at++;
        }
        String digits = text.substring(from, at);
        if (at < text.length() && "lLfFdD".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        if (digits.length() > 34 || !digits.matches("[0-9]+(\\.[0-9]+)?")) {
            at = from;
            throw unread("no number that is read", "at most 34 digits, as 12 or 1.5");
        }
        BigDecimal value = new BigDecimal(digits);
        return value.scale() == 0 && value.precision() < 10 ? (Object) value.intValueExact() : value;
    }
}
