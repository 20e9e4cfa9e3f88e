package io.txn.spring.autoconfigure;

import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Runs an application in a class loader of its own, some times, and says whether the classes of each can be collected once the next one has run. */
final class RedeployMain {

    /** What an application server would have: the driver, which DriverManager holds, and the log. */
    private static final List<String> SHARED = List.of("org.h2.", "org.slf4j.", "ch.qos.logback.");

    /** Those that nobody uses here are registered all the same, and some start threads. */
    private static final Pattern DRIVERS =
            Pattern.compile("/(mysql-connector|mariadb-java-client|postgresql)[^/]*\\.jar$");

    private static final long WAIT = 60_000_000_000L;

    private RedeployMain() {}

    public static void main(String[] arguments) throws Exception {
        // H2 makes a thread for the end of the JVM when it is first used: it is to be nobody's.
        DriverManager.getConnection("jdbc:h2:mem:shared").close();
        WeakReference<ClassLoader> before = deploy(0);
        for (int i = 1; i <= Integer.parseInt(arguments[0]); i++) {
            // The JDK itself holds the class of which it last made a record's equals(): so the run before is looked at.
            WeakReference<ClassLoader> now = deploy(i);
            long deadline = System.nanoTime() + WAIT;
            while (before.get() != null && System.nanoTime() < deadline) {
                System.gc();
                Thread.onSpinWait();
            }
            boolean held = before.get() != null;
            System.out.println("the classes of the run before " + i + (held ? " are HELD" : " are collected"));
            if (held) {
                Thread.getAllStackTraces()
                        .keySet()
                        .forEach(thread -> System.out.println(thread + " " + thread.getContextClassLoader()));
                System.exit(1);
            }
            before = now;
        }
        System.exit(0);
    }

    /** On a thread of its own, because libraries leave values at threads. */
    private static WeakReference<ClassLoader> deploy(int number) throws Exception {
        URLClassLoader loader = new URLClassLoader("deployment-" + number, everything(), new Shared());
        List<Throwable> failures = new ArrayList<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        Runnable application =
                                (Runnable) loader.loadClass(RedeployMain.class.getPackageName() + ".Redeployed")
                                        .getDeclaredConstructor()
                                        .newInstance();
                        application.run();
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                },
                "deployment-" + number);
        thread.setContextClassLoader(loader);
        thread.start();
        thread.join();
        if (!failures.isEmpty()) {
            throw new IllegalStateException(failures.get(0));
        }
        loader.close();
        return new WeakReference<>(loader);
    }

    private static URL[] everything() throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!DRIVERS.matcher(entry).find()) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        return urls.toArray(URL[]::new);
    }

    /** The platform, and of the class path what is shared. */
    private static final class Shared extends ClassLoader {

        Shared() {
            super(ClassLoader.getPlatformClassLoader());
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (SHARED.stream().anyMatch(name::startsWith)) {
                return ClassLoader.getSystemClassLoader().loadClass(name);
            }
            throw new ClassNotFoundException(name);
        }
    }
}
