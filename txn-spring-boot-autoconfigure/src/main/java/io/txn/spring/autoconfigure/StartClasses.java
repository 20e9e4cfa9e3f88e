package io.txn.spring.autoconfigure;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aot.AotDetector;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.boot.context.event.ApplicationFailedEvent;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.boot.context.event.SpringApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.NativeDetector;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;

/**
 * Loads the classes that a start will ask for, on a thread of its own while Spring Boot is still busy with others: loading them is most of what the starter adds to the main thread. Behind ours come those of Spring Boot
 * and of what it brings that the start needs anyway, so that the main thread gets back what the starter still takes of it (docs/decisions/0010). It is left out
 * on one processor, in native images, and where the system property {@code spring.backgroundpreinitializer.ignore} says so, which leaves out Spring Boot's own work of this kind too. It ends when the start does.
 *
 * <p>Each {@code SpringApplication} does it, also those after the first, which find the classes there, and a bootstrap context of Spring Cloud, which does not know {@code txn.enabled} of {@code application.yml} yet.
 *
 * <p>Classes are loaded, linked if the start does that too, and not initialised: two threads that initialise classes which need each other wait for each other for ever. A class that somebody else loads meanwhile is
 * loaded once; a class that cannot be loaded is left to whoever needs it.
 */
final class StartClasses implements ApplicationListener<SpringApplicationEvent>, Ordered {

    /** One name in a line, in the order in which a start asks for them. BootLineIT holds it to what a start loads. */
    static final String NAMES = "start-classes.txt";

    /** Behind a name of which a start needs the class alone, as the type of a bean that it does not make: linking it would be work in vain, and load what else it speaks of. */
    private static final String ONLY_LOADED = " (load)";

    /** The same of what a usual start of this major version loads of Spring Boot and of what it brings. StartClassesIT makes these lists, and holds them to what a start loads. */
    private static final String OF_SPRING_BOOT = "start-classes-of-spring-boot-%s.txt";

    private static final String THREAD = "txn-start-classes";
    private static final String IGNORED = "spring.backgroundpreinitializer.ignore";

    private static final Logger log = LoggerFactory.getLogger(StartClasses.class);

    private volatile boolean over;

    @Override
    public void onApplicationEvent(SpringApplicationEvent event) {
        if (event instanceof ApplicationEnvironmentPreparedEvent prepared) {
            if (isWanted(prepared.getEnvironment())) {
                begin(isUsual(prepared.getSpringApplication(), prepared.getEnvironment()));
            }
        } else if (event instanceof ApplicationReadyEvent || event instanceof ApplicationFailedEvent) {
            over = true;
        }
    }

    private void begin(boolean usual) {
        try {
            Thread thread = new Thread(() -> load(usual), THREAD);
            // Not the application's, which a restart throws away.
            thread.setContextClassLoader(StartClasses.class.getClassLoader());
            thread.setDaemon(true);
            thread.start();
        } catch (RuntimeException | OutOfMemoryError e) { // which says that there are too many threads
            log.debug("no classes are loaded ahead", e);
        }
    }

    static boolean isWanted(Environment environment) {
        return !NativeDetector.inNativeImage()
                && !Boolean.getBoolean(IGNORED)
                && Runtime.getRuntime().availableProcessors() > 1
                && !is(environment, "txn.enabled", "false");
    }

    /** One that loads what the list of its line says: others load less, so that the rest would be loaded in vain. */
    static boolean isUsual(SpringApplication application, Environment environment) {
        return application.getWebApplicationType() == WebApplicationType.SERVLET
                // Which Spring Boot hands on to the application only behind this event.
                && (!environment.containsProperty("spring.main.web-application-type")
                        || is(environment, "spring.main.web-application-type", "servlet"))
                && !is(environment, "spring.main.lazy-initialization", "true")
                && !AotDetector.useGeneratedArtifacts();
    }

    private static boolean is(Environment environment, String key, String value) {
        try {
            return value.equalsIgnoreCase(environment.getProperty(key));
        } catch (RuntimeException e) {
            // A placeholder, perhaps, whose value comes later. Whoever asks then fails if it does not.
            log.debug("what {} is set to is not known yet", key, e);
            return false;
        }
    }

    /** Right behind those that say what is in the environment, where the keys are known. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE + 11;
    }

    /**
     * Until the start is over: then nobody waits for them. Ours come first, since the main thread is busy with what stands first among the others. These are not linked: it would take the second processor longer, which
     * others want too, and gained nothing that could be measured.
     */
    void load(boolean usual) {
        try {
            loadAll(lines(NAMES), true);
            makeProxies();
            if (usual) {
                loadAll(lines(ofSpringBoot()), false);
            }
        } catch (IOException | RuntimeException | LinkageError e) {
            log.debug("not all classes are loaded ahead", e);
        }
    }

    static String ofSpringBoot() {
        return String.format(OF_SPRING_BOOT, SpringBootVersion.getVersion().split("\\.")[0]);
    }

    void loadAll(List<String> lines, boolean link) {
        // To look for what is not there takes a look into each jar: the first class of a package of others' says
        // whether
        // there are more.
        Map<String, Boolean> packages = new HashMap<>();
        for (String line : lines) {
            if (over) {
                return;
            }
            String name = nameIn(line);
            String itsPackage = name.substring(0, name.lastIndexOf('.'));
            if (packages.getOrDefault(itsPackage, true)) {
                boolean there = load(name, link && !line.endsWith(ONLY_LOADED));
                packages.putIfAbsent(itsPackage, there || link);
            }
        }
    }

    /** AT mode stands in front of a driver's objects by proxies, whose classes are made at the first of each: a start with a pool needs these. To initialise them takes only classes of the platform. */
    private static void makeProxies() {
        for (Class<?> type :
                List.of(Connection.class, Statement.class, PreparedStatement.class, DatabaseMetaData.class)) {
            Proxy.newProxyInstance(
                    StartClasses.class.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> null);
        }
    }

    /** Whether it is there. */
    private static boolean load(String name, boolean link) {
        try {
            Class<?> type = Class.forName(name, false, StartClasses.class.getClassLoader());
            // Whoever asks for constructors has a class linked, which verifies it, and not initialised.
            int constructors = link ? type.getDeclaredConstructors().length : -1;
            log.trace("loaded ahead class={} constructors={}", name, constructors);
        } catch (ClassNotFoundException e) {
            log.trace("not there, and not loaded ahead class={}", name);
            return false;
        } catch (LinkageError e) {
            log.trace("not loaded ahead class={}", name, e); // it speaks of a library that is not there
        } catch (RuntimeException e) {
            log.debug("not loaded ahead class={}", name, e); // its loader is closed, or does not give it
        }
        return true;
    }

    static List<String> names(String resource) throws IOException {
        return lines(resource).stream().map(StartClasses::nameIn).toList();
    }

    private static String nameIn(String line) {
        return line.endsWith(ONLY_LOADED) ? line.substring(0, line.length() - ONLY_LOADED.length()) : line;
    }

    private static List<String> lines(String resource) throws IOException {
        try (InputStream names = StartClasses.class.getResourceAsStream(resource)) {
            if (names == null) {
                throw new IOException("there is no " + resource);
            }
            return new BufferedReader(new InputStreamReader(names, StandardCharsets.UTF_8))
                    .lines()
                    .toList();
        }
    }
}
