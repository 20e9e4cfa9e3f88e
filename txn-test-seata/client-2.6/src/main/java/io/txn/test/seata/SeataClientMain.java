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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import javax.sql.DataSource;
import org.apache.seata.core.context.RootContext;
import org.apache.seata.core.exception.TransactionException;
import org.apache.seata.core.model.BranchType;
import org.apache.seata.core.model.GlobalLockConfig;
import org.apache.seata.core.model.GlobalStatus;
import org.apache.seata.core.model.TransactionManager;
import org.apache.seata.core.rpc.netty.RmNettyRemotingClient;
import org.apache.seata.integration.tx.api.util.ProxyUtil;
import org.apache.seata.rm.GlobalLockExecutor;
import org.apache.seata.rm.GlobalLockTemplate;
import org.apache.seata.rm.RMClient;
import org.apache.seata.rm.datasource.DataSourceProxy;
import org.apache.seata.rm.datasource.exec.LockConflictException;
import org.apache.seata.rm.datasource.xa.DataSourceProxyXA;
import org.apache.seata.tm.TMClient;
import org.apache.seata.tm.TransactionManagerHolder;
import org.apache.seata.tm.api.TransactionalExecutor;
import org.apache.seata.tm.api.TransactionalTemplate;
import org.apache.seata.tm.api.transaction.TransactionInfo;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * An application of the Seata client that does what it is told over HTTP on 127.0.0.1. Arguments: the coordinator's {@code host:port}, the application
 * id, and for each data source its mode ({@code AT}, {@code XA} or {@code NONE}), JDBC URL, user and password; TCC actions and saga steps use the last
 * one with {@code NONE}. One with {@code SAGA} comes after it, holds the log of an engine of state machines and is no other's; the system property
 * {@code saga.timeout} (ms) is that engine's. Prints {@code ready <port>}.
 *
 * Without a data source it can make load instead. The system properties {@code txn.test.access-key} and {@code txn.test.secret-key} are its credentials.
 *
 * <p>Each call is one POST; an answer begins with {@code ok } or {@code error }.
 *
 * <table>
 * <caption>Calls</caption>
 * <tr><td>{@code /begin?timeout=&name=}</td><td>begins a global transaction: its XID</td></tr>
 * <tr><td>{@code /execute?xid=&ds=&autocommit=&readonly=}</td><td>runs the statements in the body, a line each, in one local transaction or each by itself; no
 * XID, no global transaction</td></tr>
 * <tr><td>{@code /global-lock?ds=&autocommit=}</td><td>runs them without a global transaction, where no other holds their rows
 * ({@code @GlobalLock})</td></tr>
 * <tr><td>{@code /announce?resource=}</td><td>tells the coordinator of a resource that is not here</td></tr>
 * <tr><td>{@code /tcc?xid=}</td><td>a TCC action: the lines are what try, confirm and cancel run</td></tr>
 * <tr><td>{@code /saga?xid=}</td><td>a saga step: the lines are what it and its compensation run</td></tr>
 * <tr><td>{@code /machine?name=&business=&deliver=&undo=}</td><td>runs a state machine, see {@link SagaEngine}</td></tr>
 * <tr><td>{@code /fail?times=}</td><td>so many of the next calls of phase two of such an action fail</td></tr>
 * <tr><td>{@code /commit?xid=}, {@code /rollback?xid=}, {@code /status?xid=}, {@code /report?xid=&status=}</td><td>asks the coordinator: its global
 * status</td></tr>
 * <tr><td>{@code /template?fail=&timeout=}</td><td>the usual way: in one template call the statements in the body, each led by the number of its data
 * source and a blank, or {@code tcc}, or {@code rollback} to roll back in the midst; with {@code fail} an exception at the end</td></tr>
 * <tr><td>{@code /load?threads=&branches=&millis=&most=&settle=}</td><td>transactions without a database: figures, see {@link SeataLoad}</td></tr>
 * </table>
 */
public final class SeataClientMain {

    private static final String GROUP = "default_tx_group";

    private final String application;
    private final List<Statements> dataSources;
    private final Statements statements;
    private final TccAction tcc;
    private final SagaStep saga;
    private final SagaEngine engine;
    private SeataLoad load;

    private SeataClientMain(String application, List<Statements> dataSources, Statements statements, SagaEngine engine)
            throws Exception {
        this.application = application;
        this.dataSources = dataSources;
        this.statements = statements;
        this.tcc = statements == null ? null : ProxyUtil.createProxy(new TccAction(statements));
        this.saga = statements == null ? null : saga(statements);
        this.engine = engine;
    }

    /** Null when the client is too old. */
    private static SagaStep saga(Statements statements) throws Exception {
        Class<?> type;
        try {
            type = Class.forName("io.txn.test.seata.AnnotatedSaga");
        } catch (ClassNotFoundException e) {
            return null;
        }
        return ((SagaStep) type.getDeclaredConstructor(Statements.class).newInstance(statements)).proxied();
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("service.default.grouplist", args[0]);
        String application = args[1];
        String accessKey = System.getProperty("txn.test.access-key");
        if (accessKey == null) {
            TMClient.init(application, GROUP);
        } else {
            TMClient.init(application, GROUP, accessKey, System.getProperty("txn.test.secret-key"));
        }
        RMClient.init(application, GROUP);
        List<Statements> dataSources = new ArrayList<>();
        Statements statements = null;
        SagaEngine engine = null;
        for (int i = 2; i + 3 < args.length; i += 4) {
            DataSource physical = physical(args[i + 1], args[i + 2], args[i + 3]);
            switch (args[i]) {
                case "AT":
                    dataSources.add(new Statements(new DataSourceProxy(physical), BranchType.AT));
                    break;
                case "XA":
                    dataSources.add(new Statements(new DataSourceProxyXA(physical), BranchType.XA));
                    break;
                case "SAGA":
                    engine = new SagaEngine(
                            application, GROUP, physical, statements, Integer.getInteger("saga.timeout", 60_000));
                    break;
                default:
                    statements = new Statements(physical, null);
                    dataSources.add(statements);
            }
        }
        SeataClientMain program = new SeataClientMain(application, dataSources, statements, engine);
        HttpServer control = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        control.setExecutor(Executors.newCachedThreadPool());
        control.createContext("/", program::serve);
        control.start();
        System.out.println("ready " + control.getAddress().getPort());
    }

    private static DataSource physical(String url, String user, String password) {
        if (url.startsWith("jdbc:postgresql:")) {
            PGSimpleDataSource dataSource = new PGSimpleDataSource();
            dataSource.setUrl(url);
            dataSource.setUser(user);
            dataSource.setPassword(password);
            return dataSource;
        }
        MysqlDataSource dataSource = new MysqlDataSource();
        dataSource.setURL(url);
        dataSource.setUser(user);
        dataSource.setPassword(password);
        return dataSource;
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
        } catch (Exception | LinkageError e) {
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
                return manager.begin(
                        application,
                        GROUP,
                        parameters.getOrDefault("name", "test"),
                        Integer.parseInt(parameters.get("timeout")));
            case "/execute":
                return within(xid, () -> dataSources
                        .get(Integer.parseInt(parameters.get("ds")))
                        .run(
                                lines,
                                Boolean.parseBoolean(parameters.get("autocommit")),
                                Boolean.parseBoolean(parameters.get("readonly"))));
            case "/global-lock":
                return globalLock(() -> dataSources
                        .get(Integer.parseInt(parameters.get("ds")))
                        .run(lines, Boolean.parseBoolean(parameters.get("autocommit"))));
            case "/announce":
                RmNettyRemotingClient.getInstance().registerResource("DEFAULT", parameters.get("resource"));
                return "";
            case "/tcc":
                return within(xid, () -> tcc.prepare(null, lines.get(0), lines.get(1), lines.get(2)));
            case "/saga":
                return within(xid, () -> saga.act(null, lines.get(0), lines.get(1)));
            case "/machine":
                return engine.run(
                        parameters.get("name"),
                        parameters.get("business"),
                        parameters.get("deliver"),
                        parameters.get("undo"));
            case "/fail":
                statements.failNext(Integer.parseInt(parameters.get("times")));
                return "";
            case "/commit":
                return manager.commit(xid);
            case "/rollback":
                return manager.rollback(xid);
            case "/status":
                return manager.getStatus(xid);
            case "/report":
                return manager.globalReport(xid, GlobalStatus.valueOf(parameters.get("status")));
            case "/template":
                return template(
                        lines,
                        Boolean.parseBoolean(parameters.get("fail")),
                        Integer.parseInt(parameters.get("timeout")));
            case "/load":
                return load().run(
                                Integer.parseInt(parameters.get("threads")),
                                Integer.parseInt(parameters.get("branches")),
                                Integer.parseInt(parameters.get("hotRows")),
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

    private static Object within(String xid, Callable<?> work) throws Exception {
        if (!xid.isEmpty()) {
            RootContext.bind(xid);
        }
        try {
            return work.call();
        } finally {
            RootContext.unbind();
        }
    }

    private static Object globalLock(Callable<?> work) throws Exception {
        try {
            return new GlobalLockTemplate().execute(new GlobalLockExecutor() {
                @Override
                public Object execute() throws Throwable {
                    return work.call();
                }

                @Override
                public GlobalLockConfig getGlobalLockConfig() {
                    GlobalLockConfig config = new GlobalLockConfig();
                    config.setLockRetryInterval(10);
                    config.setLockRetryTimes(3);
                    return config;
                }
            });
        } catch (Exception e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private Object template(List<String> lines, boolean fail, int timeoutMillis) throws Exception {
        try {
            return new TransactionalTemplate().execute(new TransactionalExecutor() {
                @Override
                public Object execute() throws Throwable {
                    for (String line : lines) {
                        int blank = line.indexOf(' ');
                        String target = blank < 0 ? line : line.substring(0, blank);
                        if (target.equals("rollback")) {
                            TransactionManagerHolder.get().rollback(RootContext.getXID());
                        } else if (target.equals("tcc")) {
                            String[] parts = line.substring(blank + 1).split(";");
                            tcc.prepare(null, parts[0], parts[1], parts[2]);
                        } else {
                            dataSources.get(Integer.parseInt(target)).phaseOne(line.substring(blank + 1));
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
                    info.setTimeOut(timeoutMillis);
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
