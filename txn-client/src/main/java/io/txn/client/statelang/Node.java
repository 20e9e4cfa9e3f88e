package io.txn.client.statelang;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A value of a definition, and where it stands, so that every refusal says where. Immutable.
 *
 * @param source which file
 * @param path where in it, as {@code States.Reduce.Input[0]}
 */
record Node(String source, String path, @Nullable Object json) {

    TxnException refused(String problem, @Nullable String expected) {
        return refused(
                source, path, json instanceof Map<?, ?> || json instanceof List<?> ? null : json, problem, expected);
    }

    static TxnException refused(
            String source, @Nullable String at, @Nullable Object text, String problem, @Nullable String expected) {
        String shown = text == null ? null : String.valueOf(text);
        if (shown != null && shown.length() > 200) {
            shown = shown.substring(0, 200) + "…";
        }
        return new TxnException(
                ErrorCode.STATE_MACHINE_REFUSED,
                null,
                "definition",
                source,
                "at",
                at == null || at.isEmpty() ? null : at,
                "text",
                shown,
                "problem",
                problem,
                "expected",
                expected);
    }

    private Node child(String name, @Nullable Object value) {
        return new Node(source, path.isEmpty() ? name : path + "." + name, value);
    }

    Map<?, ?> object() {
        if (json instanceof Map<?, ?> map) {
            return map;
        }
        throw refused("it is no object", "{ … }");
    }

    /** Null when it is not there, or null. */
    @Nullable
    Node get(String name) {
        Object value = object().get(name);
        return value == null ? null : child(name, value);
    }

    Node require(String name) {
        Node value = get(name);
        if (value == null) {
            throw refused("it has no " + name, name);
        }
        return value;
    }

    Map<String, Node> entries() {
        Map<String, Node> entries = new LinkedHashMap<>();
        object().forEach((name, value) -> entries.put((String) name, child((String) name, value)));
        return entries;
    }

    /** What editors write where there is nothing. */
    boolean isEmpty() {
        return json instanceof Map<?, ?> map
                ? map.isEmpty()
                : json instanceof List<?> list && (list.isEmpty() || list.equals(List.of(Map.of())));
    }

    List<Node> elements() {
        if (!(json instanceof List<?> list)) {
            throw refused("it is no list", "[ … ]");
        }
        List<Node> elements = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            elements.add(new Node(source, path + "[" + i + "]", list.get(i)));
        }
        return elements;
    }

    String text() {
        if (json instanceof String text) {
            return text;
        }
        throw refused("it is no text", "\"…\"");
    }

    /** A text under a name; null when there is none, or an empty one. */
    @Nullable
    String text(String name) {
        Node value = get(name);
        return value == null || value.text().isBlank() ? null : value.text();
    }

    String requireText(String name) {
        String text = text(name);
        if (text == null) {
            throw refused("it has no " + name, name);
        }
        return text;
    }

    List<String> texts(String name) {
        Node value = get(name);
        return value == null
                ? List.of()
                : value.elements().stream().map(Node::text).toList();
    }

    boolean flag(String name) {
        Node value = get(name);
        if (value == null) {
            return false;
        }
        if (value.json instanceof Boolean flag) {
            return flag;
        }
        throw value.refused("it is neither true nor false", "true or false, without quotation marks");
    }

    /** A number under a name within bounds. */
    double number(String name, double missing, double least, double most) {
        Node value = get(name);
        if (value == null) {
            return missing;
        }
        double number = value.json instanceof Integer || value.json instanceof BigDecimal
                ? ((Number) value.json).doubleValue()
                : Double.NaN;
        if (!(number >= least && number <= most)) {
            throw value.refused("it is no number from " + least + " to " + most, null);
        }
        return number;
    }

    /** Names in lower case are those of editors, and mean nothing here. */
    void requireKnown(String what, Set<String> known) {
        for (Map.Entry<String, Node> entry : entries().entrySet()) {
            String name = entry.getKey();
            if (!known.contains(name) && !name.isEmpty() && Character.isUpperCase(name.charAt(0))) {
                throw entry.getValue()
                        .refused(
                                what + " has nothing of this name that is run here",
                                "one of " + known.stream().sorted().toList());
            }
        }
    }
}
