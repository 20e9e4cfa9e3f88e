package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.origin.OriginLookup;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.util.ClassUtils;

/**
 * Whether every key below {@code txn} means something. In files, on the command line and in whatever else belongs to this application every unknown key is told; among environment variables and system
 * properties, which belong to others too, those that are like a known one. Values of theirs are never told: there may be a secret behind a misspelt key. Nor is a class of ours that is to be left out and is not there passed over, which is told by its name.
 */
public final class KeysExamination implements Examination {

    private static final String EXCLUDED = "spring.autoconfigure.exclude";
    private static final int MOST_LETTERS = 6;
    private static final int MOST_LETTERS_OF_OTHERS = 3;

    private final ConfigurableEnvironment environment;
    private final ClassLoader loader;

    public KeysExamination(ConfigurableEnvironment environment, ClassLoader loader) {
        this.environment = environment;
        this.loader = loader;
    }

    @Override
    public String about() {
        return "keys";
    }

    @Override
    public List<Finding> examine() {
        KnownKeys known = KnownKeys.of(loader);
        Map<String, Finding> unknown = new TreeMap<>();
        int[] set = new int[1];
        for (PropertySource<?> source : environment.getPropertySources()) {
            if (source instanceof EnumerablePropertySource<?> some) {
                for (String name : some.getPropertyNames()) {
                    if (isOurs(source, name)) {
                        Finding finding = look(known, some, name);
                        if (finding == null) {
                            set[0]++;
                        } else {
                            unknown.putIfAbsent(name, finding);
                        }
                    }
                }
            }
        }
        for (String excluded : excluded()) {
            unknown.put(
                    excluded,
                    Finding.problem(
                            ErrorCode.UNKNOWN_KEY,
                            excluded,
                            "in " + EXCLUDED
                                    + "; there is no such class, and nothing is switched off by its name: parts have keys for that"));
        }
        return unknown.isEmpty()
                ? List.of(Finding.well("", set[0] + " set below txn, all known"))
                : List.copyOf(unknown.values());
    }

    /** Auto-configurations of ours that are to be left out and are not there, misspelt or of an earlier version: Spring Boot passes them over. */
    private List<String> excluded() {
        return Binder.get(environment).bind(EXCLUDED, Bindable.listOf(String.class)).orElse(List.of()).stream()
                .filter(name -> name.startsWith("io.txn.") && !ClassUtils.isPresent(name, loader))
                .toList();
    }

    private static boolean isVariable(PropertySource<?> source) {
        return source.getName().endsWith(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME);
    }

    private static boolean isShared(PropertySource<?> source) {
        return isVariable(source)
                || source.getName().equals(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME);
    }

    private static boolean isOurs(PropertySource<?> source, String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.startsWith("txn.") || isVariable(source) && lower.startsWith("txn_");
    }

    /** Null when the key is known, or not ours to judge. */
    private static @Nullable Finding look(KnownKeys known, EnumerablePropertySource<?> source, String name) {
        if (isVariable(source) ? known.knowsVariable(name) : known.knows(name)) {
            return null;
        }
        String nearest = known.nearest(name, isShared(source) ? MOST_LETTERS_OF_OTHERS : MOST_LETTERS);
        if (nearest == null && isShared(source)) {
            return null;
        }
        String meant = nearest == null ? "nothing is like it" : "did you mean " + nearest + "?";
        return Finding.problem(ErrorCode.UNKNOWN_KEY, name, "in " + place(source, name) + "; " + meant);
    }

    private static String place(EnumerablePropertySource<?> source, String name) {
        Origin origin = source instanceof OriginLookup<?> lookup ? origin(lookup, name) : null;
        return origin == null ? source.getName() : origin.toString();
    }

    @SuppressWarnings("unchecked")
    private static @Nullable Origin origin(OriginLookup<?> lookup, String name) {
        return ((OriginLookup<String>) lookup).getOrigin(name);
    }
}
