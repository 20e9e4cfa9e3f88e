package io.txn.client.jdbc.corpus;

import java.io.PrintWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import javax.sql.DataSource;

/**
 * Runs the corpus on somebody else's proxy, in a process with that one's libraries. Arguments: target, JDBC URL, user, password, the class whose public
 * methods are those of {@link Subject}, the file for the results: a line {@code outcome TAB case TAB detail} each, {@code end} at the end.
 */
public final class PeerMain {

    private PeerMain() {}

    public static void main(String[] args) throws Exception {
        Target target = Target.valueOf(args[0]);
        Class<?> type = Class.forName(args[4]);
        try (PrintWriter out = new PrintWriter(args[5], StandardCharsets.UTF_8);
                CorpusRunner runner =
                        new CorpusRunner(target, args[1], args[2], args[3], physical -> subject(type, physical))) {
            for (CorpusFile file : CorpusFile.all()) {
                for (CorpusCase one : file.cases(target, false)) {
                    Result result = runner.run(one);
                    out.println(result.outcome() + "\t" + one.name() + "\t"
                            + result.detail().replaceAll("\\s+", " "));
                    out.flush();
                }
            }
            out.println("end");
        }
        System.exit(0); // the library leaves threads behind
    }

    private static Subject subject(Class<?> type, DataSource physical) {
        Object real;
        try {
            real = type.getConstructor(DataSource.class).newInstance(physical);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("no subject " + type, e);
        }
        return (Subject) Proxy.newProxyInstance(
                PeerMain.class.getClassLoader(), new Class<?>[] {Subject.class}, (proxy, method, arguments) -> {
                    try {
                        return type.getMethod(method.getName(), method.getParameterTypes())
                                .invoke(real, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause() instanceof RuntimeException runtime
                                ? runtime
                                : new IllegalStateException(e.getCause());
                    }
                });
    }
}
