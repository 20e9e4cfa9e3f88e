package io.txn.samples.demo;

import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was asked for on the command line.
 *
 * @param stay leave everything running after the checks
 * @param help only explain the options
 * @param url a MariaDB or PostgreSQL server to use instead of the embedded databases
 */
record DemoOptions(boolean stay, boolean help, @Nullable String url, String user, String password) {

    static final String USAGE = """
            Usage: samples/demo/run [options]

            Boots the coordinator and four services, makes one purchase that commits and one that is rolled back, and checks every
            figure. Ends with exit status 0 only when all of them are right.

              --stay                leave everything running, and show requests to try
              --url <jdbc url>      use a server instead of embedded databases: jdbc:mariadb://host:3306/ or
                                    jdbc:postgresql://host:5432/database. The demo creates four databases (on PostgreSQL: schemas) named
                                    txn_demo_..., and drops these four at the end
              --user <name>         the user for --url
              --password-env <NAME> the environment variable with the password for --url
              --with <server>       mariadb or postgres: start such a server for the demo, from Maven Central (Linux x86-64)
              --help                show this
            """;

    /** @param defaultPassword holds unless the arguments name another one */
    static DemoOptions parse(String[] arguments, String defaultPassword) {
        boolean stay = false;
        boolean help = false;
        String url = null;
        String user = "";
        String password = defaultPassword;
        for (Iterator<String> left = List.of(arguments).iterator(); left.hasNext(); ) {
            String option = left.next();
            switch (option) {
                case "--stay" -> stay = true;
                case "--help", "-h" -> help = true;
                case "--url" -> url = value(option, left);
                case "--user" -> user = value(option, left);
                case "--password-env" -> password = password(value(option, left));
                default -> throw new DemoFailure("unknown option " + option + ".\n\n" + USAGE);
            }
        }
        if (url == null && (!user.isEmpty() || !password.isEmpty())) {
            throw new DemoFailure("--user and --password-env need --url.\n\n" + USAGE);
        }
        return new DemoOptions(stay, help, url, user, password);
    }

    private static String value(String option, Iterator<String> left) {
        if (!left.hasNext()) {
            throw new DemoFailure("option " + option + " needs a value.\n\n" + USAGE);
        }
        return left.next();
    }

    private static String password(String variable) {
        String password = System.getenv(variable);
        if (password == null) {
            throw new DemoFailure("the environment variable " + variable + " is not set.");
        }
        return password;
    }
}
