package io.txn.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The versions of the servers, put into a resource by the build so that each is stated once, in the root pom. */
final class Versions {

    private Versions() {}

    static String of(String server) {
        try (InputStream resource = Versions.class.getResourceAsStream("versions.properties")) {
            Properties versions = new Properties();
            versions.load(resource);
            String version = versions.getProperty(server);
            if (version == null) {
                throw new IllegalArgumentException("no version of " + server);
            }
            return version;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
