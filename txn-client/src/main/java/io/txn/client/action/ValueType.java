package io.txn.client.action;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A type of the closed set that actions may capture, and how its values become JSON and come back. What is read is of the type that the program declares: no data ever names a class.
 * Null is a value of every type but the primitive ones. Immutable.
 */
public abstract class ValueType {

    private ValueType() {}

    private static final int DEPTH_MAX = 16;

    private static final Map<Class<?>, Function<String, Object>> AS_TEXT = texts();

    private static Map<Class<?>, Function<String, Object>> texts() {
        Map<Class<?>, Function<String, Object>> types = new LinkedHashMap<>();
        types.put(String.class, text -> text);
        // More than 53 bits, or not decimal: other readers of JSON would change them.
        types.put(Long.class, Long::valueOf);
        types.put(Float.class, Float::valueOf);
        types.put(Double.class, Double::valueOf);
        types.put(BigDecimal.class, BigDecimal::new);
        types.put(BigInteger.class, BigInteger::new);
        types.put(UUID.class, UUID::fromString);
        types.put(Instant.class, Instant::parse);
        types.put(LocalDate.class, LocalDate::parse);
        types.put(LocalTime.class, LocalTime::parse);
        types.put(LocalDateTime.class, LocalDateTime::parse);
        types.put(OffsetDateTime.class, OffsetDateTime::parse);
        types.put(OffsetTime.class, OffsetTime::parse);
        types.put(ZonedDateTime.class, ZonedDateTime::parse);
        types.put(Duration.class, Duration::parse);
        types.put(Period.class, Period::parse);
        types.put(Year.class, Year::parse);
        types.put(YearMonth.class, YearMonth::parse);
        return Map.copyOf(types);
    }

    /** A type or a value that cannot be kept. */
    public static final class UnfitException extends Exception {

        private static final long serialVersionUID = 1L;

        UnfitException(String problem) {
            super(problem);
        }
    }

    /** JSON that is no value of the type. */
    public static final class UnreadableException extends Exception {

        private static final long serialVersionUID = 1L;

        UnreadableException(String problem) {
            super(problem);
        }
    }

    /** The JSON of a value. */
    public abstract @Nullable Object toJson(@Nullable Object value) throws UnfitException;

    /** The value of JSON. */
    public abstract @Nullable Object fromJson(@Nullable Object json) throws UnreadableException;

    /** The same JSON for equal values: what {@link #toJson} made, with the entries of maps and the elements of sets in an order of their own, not in that in which they are iterated. */
    public @Nullable Object ordered(@Nullable Object json) {
        return json;
    }

    private static @Nullable Object elements(@Nullable Object json, ValueType element, boolean sorted) {
        if (json == null) {
            return null;
        }
        List<@Nullable Object> list = new ArrayList<>();
        for (Object one : (List<?>) json) {
            list.add(element.ordered(one));
        }
        if (sorted) {
            list.sort(Comparator.comparing(Json::write));
        }
        return list;
    }

    /** @throws UnfitException when it is not of the closed set */
    public static ValueType of(Type type) throws UnfitException {
        return of(type, 0);
    }

    private static ValueType of(Type type, int depth) throws UnfitException {
        if (depth > DEPTH_MAX) {
            throw new UnfitException(type.getTypeName() + " contains itself, or is nested too deeply");
        }
        if (type instanceof Class<?> plain) {
            return ofClass(plain, depth);
        }
        if (type instanceof ParameterizedType generic && generic.getRawType() instanceof Class<?> raw) {
            Type[] arguments = generic.getActualTypeArguments();
            if (raw == List.class || raw == Collection.class) {
                return new Elements(raw, of(arguments[0], depth + 1), false);
            }
            if (raw == Set.class) {
                return new Elements(raw, of(arguments[0], depth + 1), true);
            }
            if (raw == Map.class && arguments[0] == String.class) {
                return new Entries(of(arguments[1], depth + 1));
            }
            if (raw == Optional.class) {
                return new Maybe(of(arguments[0], depth + 1));
            }
        }
        throw new UnfitException(type.getTypeName() + " is none of the types that are kept");
    }

    private static ValueType ofClass(Class<?> type, int depth) throws UnfitException {
        if (type.isPrimitive() && type != void.class) {
            return new Primitive(type, ofClass(boxed(type), depth));
        }
        if (type == Boolean.class || type == Integer.class) {
            return new AsIs(type);
        }
        if (type == Short.class || type == Byte.class) {
            return new Small(type);
        }
        if (type == Character.class) {
            return new Text(type, text -> {
                if (text.length() != 1) {
                    throw new IllegalArgumentException("not one character");
                }
                return text.charAt(0);
            });
        }
        if (type == byte[].class) {
            return new Bytes();
        }
        Function<String, Object> parse = AS_TEXT.get(type);
        if (parse != null) {
            return new Text(type, parse);
        }
        if (type.isEnum()) {
            return new Constant(type);
        }
        if (type.isRecord()) {
            return new Fields(type, depth);
        }
        throw new UnfitException(type.getTypeName() + " is none of the types that are kept");
    }

    private static Class<?> boxed(Class<?> primitive) {
        return java.lang.invoke.MethodType.methodType(primitive).wrap().returnType();
    }

    private static <T> T cast(Class<T> type, Object value) throws UnfitException {
        if (value.getClass() != type) {
            throw new UnfitException(
                    "a " + value.getClass().getName() + " stands where " + type.getName() + " is declared");
        }
        return type.cast(value);
    }

    private static <T> T read(Class<T> type, Object json) throws UnreadableException {
        if (!type.isInstance(json)) {
            throw new UnreadableException(
                    "a " + json.getClass().getSimpleName() + " stands where " + type.getSimpleName() + " is expected");
        }
        return type.cast(json);
    }

    // The kinds of types

    private static final class Primitive extends ValueType {
        private final Class<?> type;
        private final ValueType boxed;

        Primitive(Class<?> type, ValueType boxed) {
            this.type = type;
            this.boxed = boxed;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            return boxed.toJson(value);
        }

        @Override
        public Object fromJson(@Nullable Object json) throws UnreadableException {
            Object value = boxed.fromJson(json);
            if (value == null) {
                throw new UnreadableException("nothing stands where " + type + " is expected");
            }
            return value;
        }
    }

    private static final class AsIs extends ValueType {
        private final Class<?> type;

        AsIs(Class<?> type) {
            this.type = type;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            return value == null ? null : cast(type, value);
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            return json == null ? null : read(type, json);
        }
    }

    private static final class Small extends ValueType {
        private final Class<?> type;

        Small(Class<?> type) {
            this.type = type;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            return value == null ? null : ((Number) cast(type, value)).intValue();
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            int value = read(Integer.class, json);
            boolean isShort = type == Short.class;
            if (isShort ? value != (short) value : value != (byte) value) {
                throw new UnreadableException(value + " is no " + type.getSimpleName());
            }
            return isShort ? (Object) (short) value : (Object) (byte) value;
        }
    }

    private static final class Text extends ValueType {
        private final Class<?> type;
        private final Function<String, Object> parse;

        Text(Class<?> type, Function<String, Object> parse) {
            this.type = type;
            this.parse = parse;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            return value == null ? null : cast(type, value).toString();
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            // Others write numbers as numbers.
            String text = json instanceof Number && Number.class.isAssignableFrom(type)
                    ? json.toString()
                    : read(String.class, json);
            try {
                return parse.apply(text);
            } catch (IllegalArgumentException | DateTimeException e) {
                throw new UnreadableException("a text is no " + type.getSimpleName());
            }
        }
    }

    private static final class Constant extends ValueType {
        private final Class<?> type;

        Constant(Class<?> type) {
            this.type = type;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            if (value == null) {
                return null;
            }
            if (!type.isInstance(value)) {
                throw new UnfitException(
                        "a " + value.getClass().getName() + " stands where " + type.getName() + " is declared");
            }
            return ((Enum<?>) value).name();
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            String name = read(String.class, json);
            for (Object constant : type.getEnumConstants()) {
                if (((Enum<?>) constant).name().equals(name)) {
                    return constant;
                }
            }
            throw new UnreadableException(type.getSimpleName() + " has no constant " + name);
        }
    }

    private static final class Bytes extends ValueType {
        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            return value == null ? null : Base64.getEncoder().encodeToString(cast(byte[].class, value));
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            try {
                return Base64.getDecoder().decode(read(String.class, json));
            } catch (IllegalArgumentException e) {
                throw new UnreadableException("a text is no base 64");
            }
        }
    }

    private static final class Elements extends ValueType {
        private final Class<?> raw;
        private final ValueType element;
        private final boolean distinct;

        Elements(Class<?> raw, ValueType element, boolean distinct) {
            this.raw = raw;
            this.element = element;
            this.distinct = distinct;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            if (value == null) {
                return null;
            }
            if (!raw.isInstance(value)) {
                throw new UnfitException(
                        "a " + value.getClass().getName() + " stands where " + raw.getName() + " is declared");
            }
            List<@Nullable Object> list = new ArrayList<>();
            for (Object one : (Collection<?>) value) {
                list.add(element.toJson(one));
            }
            return list;
        }

        @Override
        public @Nullable Object ordered(@Nullable Object json) {
            return elements(json, element, distinct);
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            List<?> list = read(List.class, json);
            Collection<@Nullable Object> values = distinct ? new LinkedHashSet<>() : new ArrayList<>();
            for (Object one : list) {
                if (!values.add(element.fromJson(one))) {
                    throw new UnreadableException("an element stands twice in a set");
                }
            }
            return distinct
                    ? Collections.unmodifiableSet((Set<?>) values)
                    : Collections.unmodifiableList((List<?>) values);
        }
    }

    private static final class Entries extends ValueType {
        private final ValueType element;

        Entries(ValueType element) {
            this.element = element;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            if (value == null) {
                return null;
            }
            if (!(value instanceof Map<?, ?> map)) {
                throw new UnfitException("a " + value.getClass().getName() + " stands where a map is declared");
            }
            Map<String, @Nullable Object> out = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                if (!(entry.getKey() instanceof String key)) {
                    throw new UnfitException("a key of a map is no text");
                }
                out.put(key, element.toJson(entry.getValue()));
            }
            return out;
        }

        @Override
        public @Nullable Object ordered(@Nullable Object json) {
            if (json == null) {
                return null;
            }
            Map<String, @Nullable Object> out = new TreeMap<>();
            ((Map<?, ?>) json).forEach((key, value) -> out.put((String) key, element.ordered(value)));
            return out;
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            Map<String, @Nullable Object> values = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) read(Map.class, json)).entrySet()) {
                values.put((String) entry.getKey(), element.fromJson(entry.getValue()));
            }
            return Collections.unmodifiableMap(values);
        }
    }

    /** Null stands for an optional that is null itself, a list of none or one for what it holds. */
    private static final class Maybe extends ValueType {
        private final ValueType element;

        Maybe(ValueType element) {
            this.element = element;
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            if (value == null) {
                return null;
            }
            Optional<?> optional = cast(Optional.class, value);
            List<@Nullable Object> list = new ArrayList<>();
            if (optional.isPresent()) {
                list.add(element.toJson(optional.get()));
            }
            return list;
        }

        @Override
        public @Nullable Object ordered(@Nullable Object json) {
            return elements(json, element, false);
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            List<?> list = read(List.class, json);
            if (list.size() > 1) {
                throw new UnreadableException("an optional holds several values");
            }
            Object value = list.isEmpty() ? null : element.fromJson(list.get(0));
            return Optional.ofNullable(value);
        }
    }

    private static final class Fields extends ValueType {
        private final Class<?> type;
        private final Constructor<?> constructor;
        private final List<RecordComponent> components;
        private final List<ValueType> types = new ArrayList<>();

        Fields(Class<?> type, int depth) throws UnfitException {
            this.type = type;
            components = Arrays.asList(type.getRecordComponents());
            for (RecordComponent component : components) {
                types.add(ValueType.of(component.getGenericType(), depth + 1));
            }
            try {
                constructor = type.getDeclaredConstructor(
                        components.stream().map(RecordComponent::getType).toArray(Class<?>[]::new));
                constructor.setAccessible(true);
                components.forEach(component -> component.getAccessor().setAccessible(true));
            } catch (ReflectiveOperationException | RuntimeException e) {
                throw new UnfitException(type.getTypeName() + " cannot be read and made: " + e);
            }
        }

        @Override
        public @Nullable Object toJson(@Nullable Object value) throws UnfitException {
            if (value == null) {
                return null;
            }
            cast(type, value);
            Map<String, @Nullable Object> fields = new LinkedHashMap<>();
            for (int i = 0; i < components.size(); i++) {
                RecordComponent component = components.get(i);
                try {
                    fields.put(
                            component.getName(),
                            types.get(i).toJson(component.getAccessor().invoke(value)));
                } catch (ReflectiveOperationException e) {
                    throw new UnfitException(type.getTypeName() + " cannot be read: " + e);
                }
            }
            return fields;
        }

        @Override
        public @Nullable Object ordered(@Nullable Object json) {
            if (json == null) {
                return null;
            }
            Map<String, @Nullable Object> fields = new LinkedHashMap<>();
            for (int i = 0; i < components.size(); i++) {
                String name = components.get(i).getName();
                fields.put(name, types.get(i).ordered(((Map<?, ?>) json).get(name)));
            }
            return fields;
        }

        @Override
        public @Nullable Object fromJson(@Nullable Object json) throws UnreadableException {
            if (json == null) {
                return null;
            }
            Map<?, ?> fields = read(Map.class, json);
            @Nullable Object[] values = new Object[components.size()];
            for (int i = 0; i < values.length; i++) {
                String name = components.get(i).getName();
                if (!fields.containsKey(name)) {
                    throw new UnreadableException(type.getSimpleName() + " has no " + name + " in what was kept");
                }
                values[i] = types.get(i).fromJson(fields.get(name));
            }
            if (fields.size() > values.length) {
                throw new UnreadableException(
                        "what was kept of " + type.getSimpleName() + " has more than it has here");
            }
            try {
                return constructor.newInstance(values);
            } catch (InvocationTargetException e) {
                throw new UnreadableException(type.getSimpleName() + " refuses what was kept: " + e.getCause());
            } catch (ReflectiveOperationException e) {
                throw new UnreadableException(type.getSimpleName() + " cannot be made: " + e);
            }
        }
    }
}
