package io.txn.samples.demo;

import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/**
 * Where the services keep their rows: one database each.
 *
 * @param platform h2, mariadb or postgresql: which schema script the services run
 * @param urls the JDBC URL of each service
 */
public record ShopDatabase(String platform, Map<Program, String> urls, String user, String password) {

    public ShopDatabase {
        urls = Map.copyOf(urls);
    }

    /** Files below the directory. */
    public static ShopDatabase h2(Path directory) {
        Map<Program, String> urls = new EnumMap<>(Program.class);
        for (Program program : Program.values()) {
            if (program.isService()) {
                urls.put(
                        program,
                        "jdbc:h2:file:" + directory.toAbsolutePath().resolve(program.title())
                                + ";WRITE_DELAY=0;AUTO_SERVER=FALSE");
            }
        }
        return new ShopDatabase("h2", urls, "sa", "");
    }
}
