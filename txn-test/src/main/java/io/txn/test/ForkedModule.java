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
 * @param classPathResource where its build wrote the class path of its dependencies, at the root of the module
 */
record ForkedModule(String artifactId, String mainClass, String classPathResource) {

    /** The module and its dependencies. */
    String classPath() {
        return location() + File.pathSeparator + dependencies();
    }

    /** The directory or jar of the module. Found by the list: several modules may have a main class of the same name. */
    private String location() {
        URL found = ForkedModule.class.getResource(classPathResource);
        if (found == null) {
            throw new IllegalStateException("io.txn:" + artifactId + " is not on the class path");
        }
        try {
            if (found.openConnection() instanceof JarURLConnection jar) {
                return Path.of(jar.getJarFileURL().toURI()).toString();
            }
            return Path.of(found.toURI()).resolveSibling("").toString();
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
