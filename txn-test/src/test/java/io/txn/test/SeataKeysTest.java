package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** That the page for those who come from Seata has every key of Seata's, of clients and of the server. */
class SeataKeysTest {

    private static final Path PAGE = Path.of("..", "docs", "migrate-from-seata.md");
    private static final List<String> METADATA = List.of(
            "META-INF/spring-configuration-metadata.json", "META-INF/additional-spring-configuration-metadata.json");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    @Test
    void everyKeyOfSeatasStandsOnThePage() throws IOException {
        Set<String> keys = keys();
        assertThat(keys).hasSizeGreaterThan(200).contains("seata.tx-service-group", "seata.server.service-port");
        List<Pattern> told = told();
        assertThat(keys.stream().filter(key -> told.stream()
                        .noneMatch(pattern -> pattern.matcher(key).matches())))
                .isEmpty();
    }

    private static Set<String> keys() throws IOException {
        Set<String> keys = new TreeSet<>();
        String paths = SeataServer.classPath() + File.pathSeparator + System.getProperty("java.class.path");
        for (String path : paths.split(File.pathSeparator)) {
            if (Path.of(path).getFileName().toString().startsWith("seata-spring-autoconfigure-")) {
                try (JarFile jar = new JarFile(path)) {
                    for (String name : METADATA) {
                        ZipEntry entry = jar.getEntry(name);
                        if (entry != null) {
                            try (InputStream metadata = jar.getInputStream(entry)) {
                                addKeys(metadata, keys);
                            }
                        }
                    }
                }
            }
        }
        return keys;
    }

    private static void addKeys(InputStream metadata, Set<String> keys) throws IOException {
        // What YAML does not have in common with JSON.
        String text = new String(metadata.readAllBytes(), StandardCharsets.UTF_8).replace("\\/", "/");
        Map<String, List<Map<String, Object>>> all = new Yaml().load(text);
        all.getOrDefault("properties", List.of()).forEach(property -> keys.add((String) property.get("name")));
    }

    /** The first column of the page's tables of keys: {@code {a,b}} is either, {@code *} anything, {@code <key>} one of a map, and a name without its beginning has that of the one before it. */
    private static List<Pattern> told() throws IOException {
        List<Pattern> all = new ArrayList<>();
        for (String line : Files.readAllLines(PAGE)) {
            if (line.startsWith("| `")) {
                String before = "";
                Matcher code = CODE.matcher(line.substring(0, line.indexOf(" | ")));
                while (code.find()) {
                    String name = code.group(1);
                    if (name.startsWith(".")) {
                        name = before.substring(0, before.lastIndexOf('.')) + name;
                    }
                    before = name;
                    all.add(pattern(name));
                }
            }
        }
        return all;
    }

    private static Pattern pattern(String name) {
        return Pattern.compile(name.replace(".", "\\.")
                .replace("*", ".*")
                .replaceAll("\\\\\\.<[^>]+>", "(?:\\\\.[^.]+)?")
                .replace("{", "(?:")
                .replace("}", ")")
                .replace(",", "|"));
    }
}
