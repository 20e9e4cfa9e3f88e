package io.txn.test.boot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.jspecify.annotations.Nullable;

/** Counts what belongs to an application context and has to go with it. */
final class Census {

    /** Kept by the JVM, not by a class of the application: a restart makes new classes. */
    private static final String LOADERS = "txn.test.boot.loaders";

    private Census() {}

    static Map<String, String> take() {
        List<WeakReference<ClassLoader>> loaders = loaders();
        letReactorGo();
        System.gc();
        Map<String, String> census = new TreeMap<>();
        census.put("threads", threads(false));
        census.put("workers", threads(true));
        census.put("restarts", Integer.toString(loaders.size() - 1));
        census.put(
                "loaders",
                Long.toString(
                        loaders.stream().filter(loader -> loader.get() != null).count()));
        census.put("strangers", strangers(loaders));
        census.put("mbeans", mbeans());
        census.put("connections", Long.toString(sockets()));
        return census;
    }

    /** The class loaders that this application has had, this one included. */
    @SuppressWarnings("unchecked")
    private static List<WeakReference<ClassLoader>> loaders() {
        List<WeakReference<ClassLoader>> loaders = (List<WeakReference<ClassLoader>>)
                System.getProperties().computeIfAbsent(LOADERS, key -> new CopyOnWriteArrayList<>());
        ClassLoader own = Census.class.getClassLoader();
        if (loaders.stream().noneMatch(loader -> loader.get() == own)) {
            loaders.add(new WeakReference<>(own));
        }
        return loaders;
    }

    /**
     * Reactor Netty keeps, for as long as the JVM lives, the name resolver of all event loops that a client was ever made for, and by their threads the class loader of each run whose
     * {@code WebClient} got event loops of its own, as on Spring Boot 3.5: with or without us, and nobody but Reactor can get it out.
     */
    private static void letReactorGo() {
        try {
            Field kept = Class.forName("reactor.netty.transport.ClientTransportConfig")
                    .getDeclaredField("RESOLVERS_CACHE");
            kept.setAccessible(true);
            ((Map<?, ?>) kept.get(null)).clear();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Our threads, by name. Workers are those that come and go with the work, the others are there as long as what they belong to. */
    private static String threads(boolean workers) {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(name -> name.startsWith("txn")
                        && workers
                                == (name.startsWith("txn-branch-")
                                        || name.startsWith("txn-lookup-")
                                        || name.equals("txn-deadlines")
                                        || name.equals("txn-late-marks")
                                        || name.equals("txn-reactive")))
                .map(name -> name.replaceAll("[0-9]+", "N"))
                .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()))
                .toString();
    }

    /** Threads that hold the class loader of an earlier run. */
    private static String strangers(List<WeakReference<ClassLoader>> loaders) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> loaders.stream().anyMatch(loader -> isOfAnotherRun(thread, loader.get())))
                .map(Thread::getName)
                .sorted()
                .toList()
                .toString();
    }

    private static boolean isOfAnotherRun(Thread thread, @Nullable ClassLoader run) {
        if (run == null || run == Census.class.getClassLoader()) {
            return false;
        }
        for (ClassLoader loader = thread.getContextClassLoader(); loader != null; loader = loader.getParent()) {
            if (loader == run) {
                return true;
            }
        }
        return false;
    }

    private static String mbeans() {
        return ManagementFactory.getPlatformMBeanServer().queryNames(null, null).stream()
                .map(ObjectName::getDomain)
                .filter(domain -> domain.startsWith("io.txn")
                        || domain.startsWith("com.zaxxer")
                        || domain.startsWith("org.springframework"))
                .collect(Collectors.groupingBy(domain -> domain, TreeMap::new, Collectors.counting()))
                .toString();
    }

    /** Open sockets of this process, of every kind. */
    private static long sockets() {
        try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
            return files.filter(Census::isSocket).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException e) {
            return false; // closed meanwhile
        }
    }
}
