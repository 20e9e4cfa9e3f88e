package io.txn.samples.demo;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Four fresh databases on a server the user named, one a service: databases on MariaDB, schemas of the given database
 * on PostgreSQL. Their names are new in each run, so nothing that was there before is touched, and closing drops
 * exactly these four.
 */
public final class ServerDatabases implements AutoCloseable {

    private static final Pattern URL = Pattern.compile("jdbc:(mariadb|postgresql)://([^/?]+)/?([^?]*)(?:\\?(.*))?");

    private final String url;
    private final String user;
    private final String password;
    private final List<String> dropStatements = new ArrayList<>();
    private final ShopDatabase database;

    private ServerDatabases(String url, String user, String password, ShopDatabase database) {
        this.url = url;
        this.user = user;
        this.password = password;
        this.database = database;
    }

    /**
     * @param run part of the names, of small letters and digits
     * @throws DemoFailure when the URL is of no kind known here, or the server refuses
     */
    public static ServerDatabases create(String url, String user, String password, String run) {
        Matcher parts = URL.matcher(url);
        if (!parts.matches()) {
            throw new DemoFailure("the demo does not know what to do with " + url
                    + ": give jdbc:mariadb://host:port/ or jdbc:postgresql://host:port/database");
        }
        boolean mariaDb = parts.group(1).equals("mariadb");
        if (!mariaDb && parts.group(3).isEmpty()) {
            throw new DemoFailure("name a database: jdbc:postgresql://" + parts.group(2) + "/<database>");
        }
        String server = "jdbc:" + parts.group(1) + "://" + parts.group(2) + "/";
        String options = parts.group(4) == null ? "" : parts.group(4);
        Map<Program, String> names = new EnumMap<>(Program.class);
        Map<Program, String> urls = new EnumMap<>(Program.class);
        for (Program program : Program.values()) {
            if (program.isService()) {
                String name = "txn_demo_" + run + "_" + program.title();
                names.put(program, name);
                urls.put(
                        program,
                        mariaDb
                                ? server + name + query(options)
                                : server + parts.group(3) + query(options, "currentSchema=" + name));
            }
        }
        ShopDatabase database = new ShopDatabase(parts.group(1), urls, user, password);
        ServerDatabases databases = new ServerDatabases(url, user, password, database);
        try (Connection connection = DriverManager.getConnection(url, user, password);
                Statement statement = connection.createStatement()) {
            for (String name : names.values()) {
                statement.execute((mariaDb ? "CREATE DATABASE " : "CREATE SCHEMA ") + name);
                databases.dropStatements.add(mariaDb ? "DROP DATABASE " + name : "DROP SCHEMA " + name + " CASCADE");
            }
        } catch (SQLException e) {
            databases.close();
            throw new DemoFailure("cannot create the databases of the demo at " + url + ": " + e.getMessage(), e);
        }
        return databases;
    }

    private static String query(String... options) {
        String joined = String.join(
                "&",
                List.of(options).stream().filter(option -> !option.isEmpty()).toList());
        return joined.isEmpty() ? "" : "?" + joined;
    }

    public ShopDatabase database() {
        return database;
    }

    /** Drops what was created; the services have to be stopped by then. */
    @Override
    public void close() {
        if (dropStatements.isEmpty()) {
            return;
        }
        try (Connection connection = DriverManager.getConnection(url, user, password);
                Statement statement = connection.createStatement()) {
            for (String drop : dropStatements) {
                statement.execute(drop);
            }
            dropStatements.clear();
        } catch (SQLException e) {
            System.err.println("Could not drop the databases of the demo (" + String.join("; ", dropStatements) + "): "
                    + e.getMessage());
        }
    }
}
