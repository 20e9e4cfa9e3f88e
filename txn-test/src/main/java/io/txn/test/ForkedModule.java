package io.txn.test;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A module of this build whose program needs libraries that must not meet ours, so that it runs in a JVM of its own.
 *
 * @param artifactId the module, which is on the class path without its dependencies
 * @param mainClass its program
 * @param classPathResource where its build wrote the class path of its dependencies
 */
record ForkedModule(String artifactId, String mainClass, String classPathResource) {

    /** The module and its dependencies. */
    String classPath() {
        return location() + File.pathSeparator + dependencies();
    }

    /** The directory or jar with the main class. */
    private String location() {
        String resource = mainClass.replace('.', '/') + ".class";
        URL found = ForkedModule.class.getClassLoader().getResource(resource);
        if (found == null) {
            throw new IllegalStateException("io.txn:" + artifactId + " is not on the class path");
        }
        try {
            if (found.openConnection() instanceof JarURLConnection jar) {
                return Path.of(jar.getJarFileURL().toURI()).toString();
            }
            Path root = Path.of(found.toURI());
            for (int level = resource.split("/").length; level > 0; level--) {
                root = root.resolveSibling("");
            }
            return root.toString();
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("cannot find the place of " + found, e);
        }
    }

    private String dependencies() {
        try (InputStream list = ForkedModule.class.getResourceAsStream(classPathResource)) {
            if (list == null) {
                throw new IllegalStateException("no " + classPathResource + ": build the module " + artifactId);
            }
            return new String(list.readAllBytes(), StandardCharsets.UTF_8).trim();
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + classPathResource, e);
        }
    }
}
