package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/** Whether the jars of this product belong together, and whether Seata's client is there beside them. */
public final class JarsExamination implements Examination {

    /** Jars of this product, by something that is in each. */
    private static final Map<String, String> ANCHORS = anchors();

    private static final List<String> SEATA = List.of(
            "org/apache/seata/rm/datasource/DataSourceProxy.class", "io/seata/rm/datasource/DataSourceProxy.class");

    private final ClassLoader loader;
    private final BooleanSupplier seataIsOff;

    /** @param seataIsOff whether the configuration switches Seata's client off */
    public JarsExamination(ClassLoader loader, BooleanSupplier seataIsOff) {
        this.loader = loader;
        this.seataIsOff = seataIsOff;
    }

    private static Map<String, String> anchors() {
        Map<String, String> anchors = new LinkedHashMap<>();
        anchors.put("txn-protocol", "io/txn/protocol/Xid.class");
        anchors.put("txn-client", "io/txn/client/TxnClient.class");
        anchors.put("txn-spring-boot-autoconfigure", "io/txn/spring/GlobalTransactional.class");
        anchors.put("txn-coordinator", "io/txn/coordinator/Coordinator.class");
        return anchors;
    }

    @Override
    public String about() {
        return "jars";
    }

    @Override
    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        Map<String, String> versions = new LinkedHashMap<>();
        ANCHORS.forEach((artifact, anchor) -> {
            Set<String> places = places(anchor);
            if (places.size() > 1) {
                findings.add(Finding.problem(
                        ErrorCode.JARS_MIXED, artifact, "it is there as " + String.join(" and as ", places)));
            }
            for (URL about : resources("META-INF/maven/io.txn/" + artifact + "/pom.properties")) {
                versions.put(artifact, version(about));
            }
        });
        Set<String> different = new TreeSet<>(versions.values());
        if (findings.isEmpty() && different.size() > 1) {
            findings.add(Finding.problem(ErrorCode.JARS_MIXED, "", "versions differ: " + versions));
        }
        Set<String> seata = new LinkedHashSet<>();
        SEATA.forEach(anchor -> seata.addAll(places(anchor)));
        if (!seata.isEmpty() && !seataIsOff.getAsBoolean()) {
            findings.add(Finding.problem(ErrorCode.SEATA_BESIDE, "", String.join(" and ", seata)));
        }
        if (findings.isEmpty()) {
            String version = different.isEmpty()
                    ? "of unknown version (no jars)"
                    : "version " + different.iterator().next();
            findings.add(Finding.well("", version + ", each once"));
        }
        return findings;
    }

    /** The jars or directories that hold it. */
    private Set<String> places(String resource) {
        Set<String> places = new LinkedHashSet<>();
        for (URL url : resources(resource)) {
            String text = url.toString();
            places.add(text.substring(0, text.length() - resource.length()).replaceAll("(^jar:(nested:)?|!?/+$)", ""));
        }
        return places;
    }

    private List<URL> resources(String name) {
        try {
            return Collections.list(loader.getResources(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String version(URL about) {
        try (InputStream in = about.openStream()) {
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
