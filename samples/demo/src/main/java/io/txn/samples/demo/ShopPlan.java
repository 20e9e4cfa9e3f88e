package io.txn.samples.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How the shop is laid out: which jar each program is started from, with which arguments, and where it then answers.
 *
 * @param root the directory of the project, with the built jars below it
 * @param data the directory for everything the programs write
 * @param httpPorts of every program, on 127.0.0.1
 * @param tcpPort on which the coordinator talks to the services
 * @param further arguments each program gets after those of the plan, or instead of the same ones, such as where to look for a registry
 */
public record ShopPlan(
        Path root,
        Path data,
        Map<Program, Integer> httpPorts,
        int tcpPort,
        ShopDatabase database,
        Map<Program, List<String>> further) {

    public ShopPlan {
        root = root.toAbsolutePath().normalize();
        data = data.toAbsolutePath().normalize();
        httpPorts = Map.copyOf(httpPorts);
        further = Map.copyOf(further);
    }

    /** The executable jar of a program; fails with what to do when it has not been built. */
    public Path jar(Program program) {
        if (program.isService()) {
            String name = program.title() + "-service";
            return only(root.resolve("samples").resolve(name).resolve("target"), name + ".jar");
        }
        return only(root.resolve("txn-coordinator-app/target"), "txn-coordinator-app-*-exec.jar");
    }

    private static Path only(Path directory, String pattern) {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, pattern)) {
                files.forEach(found::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        if (found.size() != 1) {
            throw new IllegalStateException("expected one " + pattern + " in " + directory + ", found " + found.size()
                    + ": build with \"mvn package\" first");
        }
        return found.get(0);
    }

    /** The command line after the jar. */
    public List<String> arguments(Program program) {
        List<String> arguments = new ArrayList<>();
        arguments.add("--server.port=" + port(program));
        if (program == Program.COORDINATOR) {
            arguments.add("--txn.coordinator.tcp.port=" + tcpPort);
            arguments.add("--txn.coordinator.data-dir=" + coordinatorData());
        } else {
            arguments.add("--spring.datasource.url=" + database.urls().get(program));
            arguments.add("--spring.datasource.username=" + database.user());
            arguments.add("--spring.sql.init.platform=" + database.platform());
            arguments.add("--txn.coordinator.address=127.0.0.1:" + tcpPort);
        }
        if (program == Program.BUSINESS) {
            for (Program service : List.of(Program.STORAGE, Program.ORDER, Program.ACCOUNT)) {
                arguments.add("--shop." + service.title() + "-url=" + url(service));
            }
        }
        for (String argument : further.getOrDefault(program, List.of())) {
            // Of an option that is given twice, both values count.
            String option = argument.substring(0, argument.indexOf('=') + 1);
            arguments.removeIf(planned -> !option.isEmpty() && planned.startsWith(option));
            arguments.add(argument);
        }
        return List.copyOf(arguments);
    }

    /** The same shop with the coordinator behind another port. */
    public ShopPlan withTcpPort(int port) {
        return new ShopPlan(root, data, httpPorts, port, database, further);
    }

    /** Passwords go this way: command lines can be read by everyone on the machine. */
    public Map<String, String> environment(Program program) {
        return program.isService() ? Map.of("SPRING_DATASOURCE_PASSWORD", database.password()) : Map.of();
    }

    /** Where the program answers HTTP. */
    public URI url(Program program) {
        return URI.create("http://127.0.0.1:" + port(program));
    }

    /** Answers 200 once the program serves. */
    public URI readiness(Program program) {
        return url(program).resolve("/actuator/health/readiness");
    }

    public Path log(Program program) {
        return data.resolve("logs").resolve(program.title() + ".log");
    }

    public Path coordinatorData() {
        return data.resolve("coordinator");
    }

    /** The file with the token for the coordinator's admin API, which the coordinator writes at its first start. */
    public Path adminToken() {
        return coordinatorData().resolve("admin-token");
    }

    private int port(Program program) {
        Integer port = httpPorts.get(program);
        if (port == null) {
            throw new IllegalArgumentException("no port for the " + program.title());
        }
        return port;
    }
}
