package io.txn.test.seata;

import com.mysql.cj.jdbc.MysqlDataSource;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import javax.sql.DataSource;
import org.apache.seata.core.context.RootContext;
import org.apache.seata.core.exception.TransactionException;
import org.apache.seata.core.model.TransactionManager;
import org.apache.seata.rm.RMClient;
import org.apache.seata.rm.datasource.DataSourceProxy;
import org.apache.seata.rm.datasource.exec.LockConflictException;
import org.apache.seata.tm.TMClient;
import org.apache.seata.tm.TransactionManagerHolder;
import org.apache.seata.tm.api.TransactionalExecutor;
import org.apache.seata.tm.api.TransactionalTemplate;
import org.apache.seata.tm.api.transaction.TransactionInfo;

/**
 * An application of the Seata client, with AT data sources, that does what it is told over HTTP on 127.0.0.1. Arguments: the coordinator's
 * {@code host:port}, the application id, and for each data source its JDBC URL (MySQL driver), user and password. Prints {@code ready <port>}.
 * Without a data source it can make load instead.
 *
 * <p>Each call is one POST; an answer begins with {@code ok } or {@code error }.
 *
 * <table>
 * <caption>Calls</caption>
 * <tr><td>{@code /begin?timeout=}</td><td>begins a global transaction: its XID</td></tr>
 * <tr><td>{@code /execute?xid=&ds=&autocommit=}</td><td>runs the statements in the body, a line each, in one local transaction or each by itself; no
 * XID, no global transaction</td></tr>
 * <tr><td>{@code /commit?xid=}, {@code /rollback?xid=}, {@code /status?xid=}</td><td>asks the coordinator: its global status</td></tr>
 * <tr><td>{@code /template?fail=}</td><td>the usual way: in one template call the statements in the body, each led by the number of its data source and a
 * blank; with {@code fail} an exception at the end</td></tr>
 * <tr><td>{@code /load?threads=&branches=&millis=&most=&settle=}</td><td>transactions without a database: figures, see {@link SeataLoad}</td></tr>
 * </table>
 */
public final class SeataClientMain {

    private static final String GROUP = "default_tx_group";

    private final String application;
    private final List<DataSource> dataSources;
    private SeataLoad load;

    private SeataClientMain(String application, List<DataSource> dataSources) {
        this.application = application;
        this.dataSources = dataSources;
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("service.default.grouplist", args[0]);
        String application = args[1];
        TMClient.init(application, GROUP);
        RMClient.init(application, GROUP);
        List<DataSource> dataSources = new ArrayList<>();
        for (int i = 2; i + 2 < args.length; i += 3) {
            MysqlDataSource physical = new MysqlDataSource();
            physical.setURL(args[i]);
            physical.setUser(args[i + 1]);
            physical.setPassword(args[i + 2]);
            dataSources.add(new DataSourceProxy(physical));
        }
        SeataClientMain program = new SeataClientMain(application, dataSources);
        HttpServer control = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        control.setExecutor(Executors.newCachedThreadPool());
        control.createContext("/", program::serve);
        control.start();
        System.out.println("ready " + control.getAddress().getPort());
    }

    private void serve(HttpExchange exchange) throws IOException {
        String answer;
        try {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            answer = "ok "
                    + call(
                            exchange.getRequestURI().getPath(),
                            parameters(exchange),
                            body.lines().toList());
        } catch (Exception e) {
            answer = "error " + describe(e);
        }
        byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private static Map<String, String> parameters(HttpExchange exchange) {
        Map<String, String> parameters = new HashMap<>();
        String query = exchange.getRequestURI().getRawQuery();
        if (query != null) {
            for (String pair : query.split("&")) {
                int equals = pair.indexOf('=');
                parameters.put(
                        pair.substring(0, equals),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return parameters;
    }

    private Object call(String path, Map<String, String> parameters, List<String> lines) throws Exception {
        TransactionManager manager = TransactionManagerHolder.get();
        String xid = parameters.getOrDefault("xid", "");
        switch (path) {
            case "/begin":
                return manager.begin(application, GROUP, "test", Integer.parseInt(parameters.get("timeout")));
            case "/execute":
                return execute(xid, parameters, lines);
            case "/commit":
                return manager.commit(xid);
            case "/rollback":
                return manager.rollback(xid);
            case "/status":
                return manager.getStatus(xid);
            case "/template":
                return template(lines, Boolean.parseBoolean(parameters.get("fail")));
            case "/load":
                return load().run(
                                Integer.parseInt(parameters.get("threads")),
                                Integer.parseInt(parameters.get("branches")),
                                Long.parseLong(parameters.get("millis")),
                                Long.parseLong(parameters.get("most")),
                                Long.parseLong(parameters.get("settle")));
            default:
                throw new IllegalArgumentException("no call " + path);
        }
    }

    private synchronized SeataLoad load() {
        if (!dataSources.isEmpty()) {
            throw new IllegalStateException("this process has data sources");
        }
        if (load == null) {
            load = SeataLoad.start(application, GROUP);
        }
        return load;
    }

    private Object execute(String xid, Map<String, String> parameters, List<String> statements) throws SQLException {
        DataSource dataSource = dataSources.get(Integer.parseInt(parameters.get("ds")));
        boolean autoCommit = Boolean.parseBoolean(parameters.get("autocommit"));
        if (!xid.isEmpty()) {
            RootContext.bind(xid);
        }
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(autoCommit);
            List<Integer> counts = new ArrayList<>();
            try {
                for (String sql : statements) {
                    counts.add(statement.executeUpdate(sql));
                }
                if (!autoCommit) {
                    connection.commit();
                }
            } catch (SQLException | RuntimeException e) {
                if (!autoCommit) {
                    connection.rollback();
                }
                throw e;
            }
            return counts;
        } finally {
            RootContext.unbind();
        }
    }

    private Object template(List<String> lines, boolean fail) throws Exception {
        try {
            return new TransactionalTemplate().execute(new TransactionalExecutor() {
                @Override
                public Object execute() throws Throwable {
                    for (String line : lines) {
                        int blank = line.indexOf(' ');
                        DataSource dataSource = dataSources.get(Integer.parseInt(line.substring(0, blank)));
                        try (Connection connection = dataSource.getConnection();
                                Statement statement = connection.createStatement()) {
                            statement.executeUpdate(line.substring(blank + 1));
                        }
                    }
                    if (fail) {
                        throw new IllegalStateException("the business failed");
                    }
                    return RootContext.getXID();
                }

                @Override
                public TransactionInfo getTransactionInfo() {
                    TransactionInfo info = new TransactionInfo();
                    info.setName("template");
                    info.setTimeOut(60_000);
                    return info;
                }
            });
        } catch (Exception e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The exceptions from the outside in, each with Seata's code where it has one; then the stack trace. */
    private static String describe(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (Throwable e = failure; e != null; e = e.getCause()) {
            text.append(e.getClass().getSimpleName());
            if (e instanceof TransactionException) {
                text.append('/').append(((TransactionException) e).getCode());
            } else if (e instanceof TransactionalExecutor.ExecutionException) {
                TransactionalExecutor.ExecutionException ended = (TransactionalExecutor.ExecutionException) e;
                text.append('/').append(ended.getCode()).append(" of ").append(ended.getOriginalException());
            } else if (e instanceof LockConflictException) {
                text.append('/').append(((LockConflictException) e).getCode());
            }
            text.append(' ');
        }
        StringWriter trace = new StringWriter();
        failure.printStackTrace(new PrintWriter(trace));
        return text.append('\n').append(trace).toString();
    }
}
