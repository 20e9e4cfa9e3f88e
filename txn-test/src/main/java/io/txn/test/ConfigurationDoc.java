package io.txn.test;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The table of a module's configuration keys, made from the metadata that Spring Boot's annotation processor writes for editors. A key without a
 * description is an error. Immutable.
 *
 * <pre>{@code
 * GeneratedDoc.of("configuration-client.md").check("# Client\n\n" + ConfigurationDoc.of(ClientProperties.class).table());
 * }</pre>
 */
public final class ConfigurationDoc {

    private static final Map<String, String> TYPES = Map.of(
            "java.lang.Boolean", "true or false",
            "java.lang.Integer", "number",
            "java.lang.Long", "number",
            "java.lang.Double", "number",
            "java.lang.String", "text",
            "java.time.Duration", "duration",
            "java.nio.file.Path", "path",
            "org.springframework.util.unit.DataSize", "size");

    private final Map<String, Key> keys;

    private ConfigurationDoc(Map<String, Key> keys) {
        this.keys = keys;
    }

    private record Key(String type, @Nullable String defaultValue, String description) {}

    /** The keys described in the metadata beside this class: in the same directory of classes, or the same jar unpacked. */
    public static ConfigurationDoc of(Class<?> anchor) {
        Path metadata = classes(anchor).resolve("META-INF/spring-configuration-metadata.json");
        Map<String, Key> keys = new TreeMap<>();
        for (Map<?, ?> property : properties(metadata)) {
            String name = String.valueOf(property.get("name"));
            Object description = property.get("description");
            if (description == null || description.toString().isBlank()) {
                throw new AssertionError("the key " + name + " in " + metadata + " has no description");
            }
            Object defaultValue = property.get("defaultValue");
            keys.put(
                    name,
                    new Key(
                            type(String.valueOf(property.get("type")), anchor.getClassLoader()),
                            defaultValue == null ? null : text(defaultValue),
                            description.toString()));
        }
        if (keys.isEmpty()) {
            throw new AssertionError(metadata + " describes no key");
        }
        return new ConfigurationDoc(keys);
    }

    private static Path classes(Class<?> anchor) {
        try {
            return Path.of(
                    anchor.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(anchor.getName(), e);
        }
    }

    private static List<Map<?, ?>> properties(Path metadata) {
        try {
            // JSON is YAML, and every Spring Boot line brings this parser.
            // What JSON may write as "\\/", YAML may not.
            String text = Files.readString(metadata).replace("\\/", "/");
            Map<?, ?> root = new Yaml(new SafeConstructor(new LoaderOptions())).load(text);
            List<Map<?, ?>> properties = new ArrayList<>();
            if (root.get("properties") instanceof List<?> list) {
                list.forEach(property -> properties.add((Map<?, ?>) property));
            }
            return properties;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(Object value) {
        return value instanceof List<?> list
                ? list.stream().map(String::valueOf).collect(Collectors.joining(","))
                : value.toString();
    }

    private static String type(String name, ClassLoader loader) {
        if (name.startsWith("java.util.List<") || name.startsWith("java.util.Set<")) {
            return "list, separated by commas";
        }
        String known = TYPES.get(name);
        if (known != null) {
            return known;
        }
        try {
            Object[] constants = Class.forName(name, false, loader).getEnumConstants();
            if (constants != null) {
                return Arrays.stream(constants)
                        .map(constant -> '`' + relaxed(((Enum<?>) constant).name()) + '`')
                        .collect(Collectors.joining(", "));
            }
        } catch (ClassNotFoundException e) {
            throw new AssertionError("the metadata names a type that is not there: " + name, e);
        }
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private static String relaxed(String constant) {
        return constant.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The same with one more key, for keys of others whose default is set here. */
    public ConfigurationDoc and(String name, String type, String defaultValue, String description) {
        Map<String, Key> all = new TreeMap<>(keys);
        all.put(name, new Key(type, defaultValue, description));
        return new ConfigurationDoc(all);
    }

    /** The names of all keys with their defaults (null: none), in alphabetical order. */
    public Map<String, @Nullable String> defaults() {
        Map<String, @Nullable String> defaults = new LinkedHashMap<>();
        keys.forEach((name, key) -> defaults.put(name, key.defaultValue()));
        return defaults;
    }

    /** All keys in alphabetical order as a table in Markdown. */
    public String table() {
        return table("");
    }

    /** The keys that begin with the prefix. */
    public String table(String prefix) {
        StringBuilder table = new StringBuilder("| Key | Value | Default | Meaning |\n|---|---|---|---|\n");
        keys.forEach((name, key) -> {
            if (name.startsWith(prefix)) {
                String defaultValue = key.defaultValue() == null ? "–" : '`' + key.defaultValue() + '`';
                table.append("| `")
                        .append(name)
                        .append("` | ")
                        .append(key.type())
                        .append(" | ")
                        .append(defaultValue.equals("``") ? "empty" : defaultValue)
                        .append(" | ")
                        .append(key.description().replace("|", "\\|").replaceAll("\\s+", " "))
                        .append(" |\n");
            }
        });
        return table.toString();
    }
}
