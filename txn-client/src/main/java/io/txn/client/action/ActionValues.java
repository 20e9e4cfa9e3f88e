package io.txn.client.action;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one action captures, as the text that the coordinator keeps with the branch: {@code {"v":1,"action":"…","args":{…}}}, with the {@code result} where it is known. Immutable.
 *
 * <p>Whoever reads it may be an instance of another version of the application. What does not fit exactly is not read at all: an instance that fits can be asked next.
 */
final class ActionValues {

    private static final String VERSION = "v";
    private static final int VERSION_NOW = 1;
    private static final String ACTION = "action";
    private static final String ARGUMENTS = "args";
    private static final String RESULT = "result";
    private static final String DATABASE = "database";

    private final String action;
    private final Map<String, ValueType> parameters = new LinkedHashMap<>();
    private final @Nullable ValueType result;

    /** @param result the type of the result that is kept, or null for none */
    ActionValues(String action, List<Action.Captured> captured, @Nullable Type result) {
        this.action = action;
        for (Action.Captured one : captured) {
            if (parameters.put(one.key(), type("captures " + one.key(), one.type())) != null) {
                throw new TxnException(
                        ErrorCode.ACTION_MISDECLARED,
                        null,
                        "action",
                        action,
                        "problem",
                        "two values are captured as " + one.key());
            }
        }
        this.result = result == null ? null : type("returns", result);
    }

    private ValueType type(String what, Type type) {
        try {
            return ValueType.of(type);
        } catch (ValueType.UnfitException e) {
            throw new TxnException(
                    ErrorCode.ACTION_VALUES_UNFIT,
                    null,
                    "action",
                    action,
                    "problem",
                    "it " + what + ", and " + e.getMessage());
        }
    }

    /**
     * The values as text.
     *
     * @param database the identity of the database that the action works in; null when it has no fence
     */
    String encode(List<?> values, @Nullable String database) {
        Map<String, @Nullable Object> document = document(values);
        if (database != null) {
            document.put(DATABASE, database);
        }
        return Json.write(document);
    }

    /** The identity of the database that the action worked in; null when the text does not say. */
    @Nullable
    String database(@Nullable String text) {
        return document(text).get(DATABASE) instanceof String named ? named : null;
    }

    /** The values and the result as text. */
    String encodeWithResult(List<?> values, @Nullable Object resultOfAction) {
        Map<String, @Nullable Object> document = document(values);
        document.put(RESULT, json(RESULT, result(), resultOfAction));
        return Json.write(document);
    }

    /** The result alone, as text. */
    String encodeResult(@Nullable Object resultOfAction) {
        Map<String, @Nullable Object> document = head();
        document.put(RESULT, json(RESULT, result(), resultOfAction));
        return Json.write(document);
    }

    private Map<String, @Nullable Object> head() {
        Map<String, @Nullable Object> document = new LinkedHashMap<>();
        document.put(VERSION, VERSION_NOW);
        document.put(ACTION, action);
        return document;
    }

    private Map<String, @Nullable Object> document(List<?> values) {
        if (values.size() != parameters.size()) {
            throw new IllegalArgumentException(
                    action + " captures " + parameters.size() + " values, got " + values.size());
        }
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        int i = 0;
        for (Map.Entry<String, ValueType> parameter : parameters.entrySet()) {
            arguments.put(parameter.getKey(), json(parameter.getKey(), parameter.getValue(), values.get(i++)));
        }
        Map<String, @Nullable Object> document = head();
        document.put(ARGUMENTS, arguments);
        return document;
    }

    private @Nullable Object json(String key, ValueType type, @Nullable Object value) {
        try {
            return type.toJson(value);
        } catch (ValueType.UnfitException e) {
            throw new TxnException(
                    ErrorCode.ACTION_VALUES_UNFIT, null, "action", action, "value", key, "problem", e.getMessage());
        }
    }

    private ValueType result() {
        if (result == null) {
            throw new IllegalStateException(action + " keeps no result");
        }
        return result;
    }

    /** The captured values, in order. */
    List<@Nullable Object> decode(@Nullable String text) {
        Object arguments = document(text).get(ARGUMENTS);
        if (!(arguments instanceof Map<?, ?> map)) {
            throw unreadable("it has no arguments", null);
        }
        List<@Nullable Object> values = new ArrayList<>();
        for (Map.Entry<String, ValueType> parameter : parameters.entrySet()) {
            if (!map.containsKey(parameter.getKey())) {
                throw unreadable("it has no value " + parameter.getKey(), null);
            }
            values.add(value(parameter.getKey(), parameter.getValue(), map.get(parameter.getKey())));
        }
        if (map.size() > parameters.size()) {
            throw unreadable("it has more values than are captured here", null);
        }
        return values;
    }

    /** The result that stands in a text; null when none does. */
    @Nullable
    Object decodeResult(@Nullable String text) {
        return text == null ? null : value(RESULT, result(), document(text).get(RESULT));
    }

    private @Nullable Object value(String key, ValueType type, @Nullable Object json) {
        try {
            return type.fromJson(json);
        } catch (ValueType.UnreadableException e) {
            throw unreadable("value " + key + ": " + e.getMessage(), e);
        }
    }

    private Map<?, ?> document(@Nullable String text) {
        if (text == null) {
            throw unreadable("there is none", null);
        }
        Object read;
        try {
            read = Json.read(text);
        } catch (Json.MalformedException e) {
            throw unreadable(String.valueOf(e.getMessage()), e);
        }
        if (!(read instanceof Map<?, ?> document)) {
            throw unreadable("it is no object", null);
        }
        if (!Integer.valueOf(VERSION_NOW).equals(document.get(VERSION))) {
            throw unreadable(
                    "it has version " + document.get(VERSION) + ", and this program reads " + VERSION_NOW, null);
        }
        if (!action.equals(document.get(ACTION))) {
            throw unreadable("it is of another action", null);
        }
        return document;
    }

    private TxnException unreadable(String problem, @Nullable Throwable cause) {
        return new TxnException(ErrorCode.ACTION_VALUES_UNREADABLE, cause, "action", action, "problem", problem);
    }
}
