package io.txn.client.statelang;

import io.txn.client.action.ValueType;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.lang.reflect.WildcardType;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Period;
import java.time.temporal.Temporal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What services take and return, as trees of JSON values, and back: scalars, lists, maps, records and classes with getters, setters and a public constructor without parameters. What is made is of the type that the
 * service's method declares; no data names a class. Stateless.
 */
final class Trees {

    private static final int DEEPEST = 16;

    private Trees() {}

    /** A value that no tree stands for, or a tree that is no value of a type. Its message holds no data. */
    static final class MisfitException extends Exception {

        private static final long serialVersionUID = 1L;

        MisfitException(String problem) {
            super(problem, null, false, false);
        }
    }

    static @Nullable Object of(@Nullable Object value) throws MisfitException {
        return of(value, 0);
    }

    private static @Nullable Object of(@Nullable Object value, int depth) throws MisfitException {
        if (depth > DEEPEST) {
            throw new MisfitException("it is nested too deeply, or contains itself");
        }
        if (value == null || value instanceof Boolean || value instanceof Integer || value instanceof String) {
            return value;
        } else if (value instanceof Number number) {
            return number(number);
        } else if (value instanceof Enum<?> constant) {
            return constant.name();
        } else if (value instanceof Date date) {
            return java.time.Instant.ofEpochMilli(date.getTime()).toString();
        } else if (value instanceof CharSequence
                || value instanceof Character
                || value instanceof Temporal
                || value instanceof Duration
                || value instanceof Period
                || value instanceof UUID) {
            return value.toString();
        } else if (value instanceof byte[] bytes) {
            return Base64.getEncoder().encodeToString(bytes);
        } else if (value instanceof Optional<?> optional) {
            return of(optional.orElse(null), depth + 1);
        } else if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> tree = new LinkedHashMap<>();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                tree.put(String.valueOf(of(entry.getKey(), depth + 1)), of(entry.getValue(), depth + 1));
            }
            return tree;
        } else if (value instanceof Collection<?> values) {
            List<@Nullable Object> tree = new ArrayList<>();
            for (Object one : values) {
                tree.add(of(one, depth + 1));
            }
            return tree;
        } else if (value.getClass().isArray()) {
            List<@Nullable Object> tree = new ArrayList<>();
            for (int i = 0; i < Array.getLength(value); i++) {
                tree.add(of(Array.get(value, i), depth + 1));
            }
            return tree;
        }
        return properties(value, depth);
    }

    private static Object number(Number value) throws MisfitException {
        BigDecimal decimal;
        if (value instanceof BigDecimal exact) {
            decimal = exact;
        } else if (value instanceof BigInteger integer) {
            decimal = new BigDecimal(integer);
        } else if (value instanceof Long || value instanceof Short || value instanceof Byte) {
            decimal = BigDecimal.valueOf(value.longValue());
        } else {
            try {
                decimal = new BigDecimal(value.toString());
            } catch (NumberFormatException e) {
                throw new MisfitException("a " + value.getClass().getName() + " is no decimal number");
            }
        }
        return decimal.scale() == 0 && decimal.precision() < 10 ? (Object) decimal.intValueExact() : decimal;
    }

    private static Map<String, @Nullable Object> properties(Object value, int depth) throws MisfitException {
        Class<?> type = value.getClass();
        if (value instanceof Throwable || isOfThePlatform(type)) {
            throw new MisfitException("a " + type.getName() + " is none of the values that are kept");
        }
        Map<String, @Nullable Object> tree = new LinkedHashMap<>();
        try {
            if (type.isRecord()) {
                for (RecordComponent component : type.getRecordComponents()) {
                    Method accessor = component.getAccessor();
                    accessor.setAccessible(true);
                    tree.put(component.getName(), of(accessor.invoke(value), depth + 1));
                }
                return tree;
            }
            Method[] methods = type.getMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods) {
                String property = property(method, method.getReturnType() == boolean.class ? "is" : "get", 0);
                if (property == null) {
                    property = property(method, "get", 0);
                }
                if (property != null && method.getDeclaringClass() != Object.class) {
                    method.setAccessible(true);
                    tree.put(property, of(method.invoke(value), depth + 1));
                }
            }
        } catch (InvocationTargetException e) {
            throw new MisfitException("a property of a " + type.getName() + " fails: " + e.getCause());
        } catch (IllegalAccessException | RuntimeException e) {
            throw new MisfitException("a " + type.getName() + " cannot be read: " + e);
        }
        if (tree.isEmpty()) {
            throw new MisfitException("a " + type.getName() + " has no properties");
        }
        return tree;
    }

    private static boolean isOfThePlatform(Class<?> type) {
        return type.getName().startsWith("java.")
                || type.getName().startsWith("javax.")
                || type.getName().startsWith("jdk.");
    }

    private static @Nullable String property(Method method, String prefix, int parameters) {
        String name = method.getName();
        boolean fits = name.length() > prefix.length()
                && name.startsWith(prefix)
                && Character.isUpperCase(name.charAt(prefix.length()))
                && method.getParameterCount() == parameters
                && !method.isSynthetic()
                && !Modifier.isStatic(method.getModifiers())
                && (parameters > 0 || method.getReturnType() != void.class);
        if (!fits) {
            return null;
        }
        String bare = name.substring(prefix.length());
        boolean acronym = bare.length() > 1 && Character.isUpperCase(bare.charAt(1));
        return acronym ? bare : bare.substring(0, 1).toLowerCase(Locale.ROOT) + bare.substring(1);
    }

    /** The value of a tree. */
    static @Nullable Object as(Type type, @Nullable Object tree) throws MisfitException {
        return as(type, tree, 0);
    }

    private static @Nullable Object as(Type type, @Nullable Object tree, int depth) throws MisfitException {
        if (depth > DEEPEST) {
            throw new MisfitException(type.getTypeName() + " is nested too deeply");
        }
        Class<?> raw = raw(type);
        if (raw == Optional.class) {
            return Optional.ofNullable(as(argument(type, 0), tree, depth + 1));
        } else if (tree == null) {
            if (raw.isPrimitive()) {
                throw new MisfitException("nothing stands where a " + raw + " is taken");
            }
            return null;
        } else if (raw == Object.class) {
            return tree;
        } else if (raw == Map.class) {
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            Type element = argument(type, 1);
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) cast(Map.class, tree, raw)).entrySet()) {
                map.put((String) entry.getKey(), as(element, entry.getValue(), depth + 1));
            }
            return map;
        } else if (raw == List.class || raw == Collection.class || raw == Iterable.class || raw == Set.class) {
            Collection<@Nullable Object> values = raw == Set.class ? new LinkedHashSet<>() : new ArrayList<>();
            for (Object one : cast(List.class, tree, raw)) {
                values.add(as(argument(type, 0), one, depth + 1));
            }
            return values;
        } else if (raw.isArray() && raw != byte[].class) {
            Type element = type instanceof GenericArrayType array
                    ? array.getGenericComponentType()
                    : Objects.requireNonNull(raw.getComponentType());
            List<?> list = cast(List.class, tree, raw);
            Object array = Array.newInstance(raw(element), list.size());
            for (int i = 0; i < list.size(); i++) {
                Array.set(array, i, as(element, list.get(i), depth + 1));
            }
            return array;
        } else if (raw == Number.class) {
            return cast(Number.class, tree, raw);
        } else if (Date.class == raw) {
            return Date.from((java.time.Instant) Objects.requireNonNull(scalar(java.time.Instant.class, tree)));
        }
        if (raw.isRecord()) {
            return madeRecord(raw, cast(Map.class, tree, raw), depth);
        }
        return isBean(raw) ? madeBean(raw, cast(Map.class, tree, raw), depth) : scalar(raw, tree);
    }

    /** Why no value of the type could be made; null when it can. */
    static @Nullable String unreadable(Type type) {
        return unreadable(type, 0);
    }

    private static @Nullable String unreadable(Type type, int depth) {
        Class<?> raw = raw(type);
        if (depth > DEEPEST || raw == Object.class || raw == Number.class || raw == Date.class) {
            return null;
        } else if (raw == Map.class) {
            return unreadable(argument(type, 1), depth + 1);
        } else if (raw == List.class
                || raw == Collection.class
                || raw == Iterable.class
                || raw == Set.class
                || raw == Optional.class) {
            return unreadable(argument(type, 0), depth + 1);
        } else if (raw.isArray() && raw != byte[].class) {
            return unreadable(Objects.requireNonNull(raw.getComponentType()), depth + 1);
        } else if (raw.isRecord() || isBean(raw)) {
            return null;
        }
        try {
            ValueType.of(raw);
            return null;
        } catch (ValueType.UnfitException e) {
            return e.getMessage();
        }
    }

    private static Class<?> raw(Type type) {
        if (type instanceof Class<?> plain) {
            return plain;
        } else if (type instanceof ParameterizedType generic && generic.getRawType() instanceof Class<?> raw) {
            return raw;
        } else if (type instanceof GenericArrayType array) {
            return raw(array.getGenericComponentType()).arrayType();
        }
        return Object.class;
    }

    private static Type argument(Type type, int index) {
        if (type instanceof ParameterizedType generic) {
            Type argument = generic.getActualTypeArguments()[index];
            return argument instanceof WildcardType ? Object.class : argument;
        }
        return Object.class;
    }

    private static <T> T cast(Class<T> kind, Object tree, Class<?> wanted) throws MisfitException {
        if (!kind.isInstance(tree)) {
            throw new MisfitException("a "
                    + (tree instanceof Map<?, ?>
                            ? "object"
                            : tree instanceof List<?> ? "list" : tree.getClass().getSimpleName())
                    + " stands where a " + wanted.getName() + " is taken");
        }
        return kind.cast(tree);
    }

    private static @Nullable Object scalar(Class<?> type, Object tree) throws MisfitException {
        try {
            return ValueType.of(type).fromJson(tree);
        } catch (ValueType.UnfitException | ValueType.UnreadableException e) {
            throw new MisfitException(String.valueOf(e.getMessage()));
        }
    }

    private static boolean isBean(Class<?> type) {
        if (type.isInterface()
                || type.isEnum()
                || type.isArray()
                || type.isPrimitive()
                || Modifier.isAbstract(type.getModifiers())
                || isOfThePlatform(type)) {
            return false;
        }
        for (Constructor<?> constructor : type.getConstructors()) {
            if (constructor.getParameterCount() == 0) {
                return true;
            }
        }
        return false;
    }

    /** What the tree has beside the components is left out: services hand on more than others take. */
    private static Object madeRecord(Class<?> type, Map<?, ?> tree, int depth) throws MisfitException {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        @Nullable Object[] values = new Object[components.length];
        for (int i = 0; i < values.length; i++) {
            types[i] = components[i].getType();
            values[i] = as(components[i].getGenericType(), tree.get(components[i].getName()), depth + 1);
        }
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new MisfitException("no " + type.getName() + " is made of it: " + reason(e));
        }
    }

    private static Object madeBean(Class<?> type, Map<?, ?> tree, int depth) throws MisfitException {
        try {
            Object bean = type.getConstructor().newInstance();
            for (Method method : type.getMethods()) {
                String property = property(method, "set", 1);
                if (property != null && tree.get(property) != null) {
                    method.invoke(bean, as(method.getGenericParameterTypes()[0], tree.get(property), depth + 1));
                }
            }
            return bean;
        } catch (ReflectiveOperationException | RuntimeException e) {
            throw new MisfitException("no " + type.getName() + " is made of it: " + reason(e));
        }
    }

    private static Throwable reason(Exception e) {
        return e instanceof InvocationTargetException thrown && thrown.getCause() != null ? thrown.getCause() : e;
    }
}
