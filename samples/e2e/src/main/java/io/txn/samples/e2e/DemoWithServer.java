package io.txn.samples.e2e;

import io.txn.samples.demo.Demo;
import io.txn.test.TestDatabase;
import io.txn.test.TestDatabases;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The demo on a MariaDB or PostgreSQL server of its own. Arguments: the server, then those of the demo. */
public final class DemoWithServer {

    private DemoWithServer() {}

    public static void main(String[] arguments) {
        String server = arguments.length == 0 ? "" : arguments[0];
        System.out.println("Starting a " + server + " server ...");
        TestDatabase database =
                switch (server) {
                    case "mariadb" -> TestDatabases.mariaDb();
                    case "postgres" -> TestDatabases.postgres();
                    default -> throw new IllegalArgumentException("--with takes mariadb or postgres, not " + server);
                };
        List<String> forwarded = new ArrayList<>(Arrays.asList(arguments).subList(1, arguments.length));
        forwarded.addAll(List.of("--url", database.jdbcUrl(), "--user", database.user()));
        Demo.main(forwarded.toArray(String[]::new), database.password());
    }
}
