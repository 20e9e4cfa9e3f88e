package io.txn.coordinator.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A mistake in the coordinator's own code: texts of its source files replaced by others. The changed files are compiled in memory, and the simulation
 * runs with them in a class loader of its own. So it is seen that the simulation would find the mistake if somebody made it.
 *
 * @param what the mistake, in words
 * @param rare a world that has shown it, or 0
 */
record PlantedMistake(String what, List<Change> changes, long rare) {

    private static final Path SOURCES = Path.of("src", "main", "java");
    private static final String ROOT = "io/txn/coordinator/";

    /**
     * One place.
     *
     * @param file the source file, below {@code io/txn/coordinator}
     * @param within a text before the place, as a rule the head of the method: the first place behind it is meant
     */
    record Change(String file, String within, String right, String wrong) {}

    PlantedMistake(String what, String file, String within, String right, String wrong) {
        this(what, List.of(new Change(file, within, right, wrong)), 0);
    }

    /** A mistake that few worlds show, and one that did when it was last looked for: it is tried first. */
    PlantedMistake rare(long seed) {
        return new PlantedMistake(what, changes, seed);
    }

    /** A mistake that takes one more change, which is made after the others. */
    PlantedMistake and(String file, String within, String right, String wrong) {
        return new PlantedMistake(
                what,
                Stream.concat(changes.stream(), Stream.of(new Change(file, within, right, wrong)))
                        .toList(),
                rare);
    }

    /** The worlds with this mistake: by seed, the broken promise, or null. */
    LongFunction<String> worlds() {
        return worlds(Simulation.Worlds.class);
    }

    /** The same with worlds of another kind. */
    LongFunction<String> worlds(Class<? extends LongFunction<String>> kind) {
        try {
            Constructor<?> worlds =
                    new Changed(compile()).loadClass(kind.getName()).getDeclaredConstructor();
            worlds.setAccessible(true);
            @SuppressWarnings("unchecked")
            LongFunction<String> function = (LongFunction<String>) worlds.newInstance();
            return function;
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /** By file, what is compiled in the place of the code as it is. */
    Map<String, String> changedSources() {
        Map<String, String> sources = new HashMap<>();
        for (Change change : changes) {
            String source = sources.computeIfAbsent(change.file, PlantedMistake::source);
            int from = source.indexOf(change.within);
            int at = from < 0 ? -1 : source.indexOf(change.right, from);
            if (at < 0) {
                throw new AssertionError("\"" + what + "\" cannot be planted any more: " + change.file + " has no \""
                        + change.right + "\" after \"" + change.within
                        + "\". The code has changed: let the mistake follow it.");
            }
            String changed = source.substring(0, at) + change.wrong + source.substring(at + change.right.length());
            sources.put(change.file, changed);
        }
        return sources;
    }

    private static String source(String file) {
        try {
            return Files.readString(SOURCES.resolve(ROOT + file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JavaFileObject input(String file, String source) {
        return new SimpleJavaFileObject(URI.create("string:///" + ROOT + file), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
    }

    private Map<String, byte[]> compile() {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        List<JavaFileObject> inputs = new ArrayList<>();
        changedSources().forEach((file, source) -> inputs.add(input(file, source)));
        try (StandardJavaFileManager standard = compiler.getStandardFileManager(null, Locale.ROOT, null);
                InMemory output = new InMemory(standard)) {
            boolean compiled = compiler.getTask(
                            messages,
                            output,
                            null,
                            List.of("-proc:none", "-nowarn", "-cp", System.getProperty("java.class.path")),
                            null,
                            inputs)
                    .call();
            if (!compiled) {
                throw new AssertionError("\"" + what + "\" does not compile: " + messages);
            }
            return output.classes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Takes the classes that the compiler writes. */
    private static final class InMemory extends ForwardingJavaFileManager<JavaFileManager> {

        private final Map<String, ByteArrayOutputStream> written = new HashMap<>();

        InMemory(JavaFileManager manager) {
            super(manager);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(
                Location location, String className, JavaFileObject.Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("mem:///" + className.replace('.', '/') + ".class"), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return written.computeIfAbsent(className, name -> new ByteArrayOutputStream());
                }
            };
        }

        Map<String, byte[]> classes() {
            Map<String, byte[]> classes = new HashMap<>();
            written.forEach((name, bytes) -> classes.put(name, bytes.toByteArray()));
            return classes;
        }
    }

    /** The coordinator and its simulation once more, with the changed classes. */
    private static final class Changed extends ClassLoader {

        private final Map<String, byte[]> changed;

        Changed(Map<String, byte[]> changed) {
            super(PlantedMistake.class.getClassLoader());
            this.changed = changed;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith(ROOT.replace('/', '.'))) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                if (loaded == null) {
                    byte[] bytes = changed.containsKey(name) ? changed.get(name) : original(name);
                    loaded = defineClass(name, bytes, 0, bytes.length);
                }
                return loaded;
            }
        }

        private byte[] original(String name) throws ClassNotFoundException {
            try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                return in.readAllBytes();
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    @Override
    public String toString() {
        return what;
    }
}
