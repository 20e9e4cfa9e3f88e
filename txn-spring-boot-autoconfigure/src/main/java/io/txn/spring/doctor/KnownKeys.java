package io.txn.spring.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The keys below {@code txn} that mean something, and which of them somebody may have meant. Immutable. */
final class KnownKeys {

    private static final String METADATA = "META-INF/spring-configuration-metadata.json";

    /** The coordinator's keys, one a line: they may stand in a file that both read. */
    private static final String COORDINATOR = "io/txn/spring/doctor/coordinator-keys.txt";

    /** As the annotation processor writes it: the type right behind the name. */
    private static final Pattern PROPERTY =
            Pattern.compile("\"name\"\\s*:\\s*\"(txn\\.[^\"]+)\"(?:\\s*,\\s*\"type\"\\s*:\\s*\"([^\"]*)\")?");

    /** By their comparable form. */
    private final Map<String, String> keys = new HashMap<>();

    /** Those below which anything may stand. */
    private final Set<String> maps = new HashSet<>();

    private KnownKeys() {}

    /** What the metadata of all jars describes, and the coordinator's. */
    static KnownKeys of(ClassLoader loader) {
        KnownKeys known = new KnownKeys();
        try {
            for (URL metadata : Collections.list(loader.getResources(METADATA))) {
                known.addMetadata(text(metadata));
            }
            URL coordinator = loader.getResource(COORDINATOR);
            if (coordinator != null) {
                text(coordinator).lines().filter(line -> !line.isBlank()).forEach(known::add);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return known;
    }

    private static String text(URL url) throws IOException {
        try (InputStream in = url.openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private void addMetadata(String json) {
        int properties = json.indexOf("\"properties\"");
        int hints = json.lastIndexOf("\"hints\"");
        if (properties < 0) {
            return;
        }
        Matcher property = PROPERTY.matcher(json.substring(properties, hints > properties ? hints : json.length()));
        while (property.find()) {
            add(property.group(1));
            if (property.group(2) != null && property.group(2).startsWith("java.util.Map")) {
                maps.add(comparable(property.group(1)));
            }
        }
    }

    private void add(String key) {
        keys.put(comparable(key), key);
    }

    Collection<String> all() {
        return keys.values();
    }

    /** In the form in which Spring Boot compares keys: without case and dashes; and without the places of lists. */
    private static String comparable(String key) {
        return key.toLowerCase(Locale.ROOT).replaceAll("\\[[^\\]]*]", "").replaceAll("[-_]", "");
    }

    /** Whether a key as it stands in a file means something. */
    boolean knows(String key) {
        String form = comparable(key);
        if (keys.containsKey(form)) {
            return true;
        }
        for (int dot = form.lastIndexOf('.'); dot > 0; dot = form.lastIndexOf('.', dot - 1)) {
            if (maps.contains(form.substring(0, dot))) {
                return true;
            }
        }
        return false;
    }

    /** Whether the name of an environment variable means something: it has no dashes, and one sign for all else. */
    boolean knowsVariable(String name) {
        String form = undotted(comparable(name.replaceAll("_\\d+(?=_|$)", "")));
        for (String key : keys.keySet()) {
            String own = undotted(key);
            if (own.equals(form) || maps.contains(key) && form.startsWith(own)) {
                return true;
            }
        }
        return false;
    }

    private static String undotted(String key) {
        return key.replace(".", "");
    }

    /**
     * The key that is most like this one, or null when none is.
     *
     * @param most how many letters may differ
     */
    @Nullable
    String nearest(String written, int most) {
        String form = undotted(comparable(written));
        String lastPart = last(comparable(written));
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (Map.Entry<String, String> known : new TreeMap<>(keys).entrySet()) {
            int distance = distance(form, undotted(known.getKey()));
            if (lastPart.length() > 3 && last(known.getKey()).equals(lastPart)) {
                distance = Math.min(distance, 2); // the right word in the wrong section
            }
            if (distance <= most && distance < bestDistance) {
                bestDistance = distance;
                best = known.getValue();
            }
        }
        return best;
    }

    private static String last(String key) {
        return key.substring(key.lastIndexOf('.') + 1);
    }

    /** How many letters have to be put in, taken out, changed, or swapped with their neighbour. */
    private static int distance(String one, String other) {
        int[] beforeLast = new int[other.length() + 1];
        int[] last = new int[other.length() + 1];
        for (int j = 0; j <= other.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int[] now = new int[other.length() + 1];
            now[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                boolean same = one.charAt(i - 1) == other.charAt(j - 1);
                now[j] = Math.min(Math.min(now[j - 1], last[j]) + 1, last[j - 1] + (same ? 0 : 1));
                if (i > 1
                        && j > 1
                        && one.charAt(i - 1) == other.charAt(j - 2)
                        && one.charAt(i - 2) == other.charAt(j - 1)) {
                    now[j] = Math.min(now[j], beforeLast[j - 2] + 1);
                }
            }
            beforeLast = last;
            last = now;
        }
        return last[other.length()];
    }
}
