package io.txn.client.jdbc.corpus;

import io.txn.client.jdbc.corpus.CorpusCase.Wanted;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Runs cases on one database: past the proxy for what should come out, through it with a commit, through it with a rollback. The tables of a fixture stay
 * for as long as the cases that follow use the same. For one thread.
 */
public final class CorpusRunner implements AutoCloseable {

    private static final int SHOWN = 700;

    /** What a connection says to a statement that it has kept prepared since a table of that name had other columns, without the proxy as well. */
    private static final String CHANGED_TYPE = "cached plan must not change result type";

    private final Target target;
    private final String url;
    private final String user;
    private final String password;
    private final Function<DataSource, Subject> subjects;
    private final Pool setup;
    private final Map<String, Pool> pools = new HashMap<>();
    private final Map<String, Subject> running = new HashMap<>();
    private Fixture fixture;
    private Dump dump;
    private List<String> before = List.of();

    /**
     * @param url of an empty database
     * @param subjects makes what is put to the test over a data source
     */
    public CorpusRunner(
            Target target, String url, String user, String password, Function<DataSource, Subject> subjects) {
        this.target = target;
        this.url = url;
        this.user = user;
        this.password = password;
        this.subjects = subjects;
        String several = target.speaksMySql() ? "allowMultiQueries=true" : "";
        this.setup = new Pool(with(several), user, password, onOpen());
        try (Connection connection = setup.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE corpus_probe (id INT NOT NULL PRIMARY KEY, n INT NOT NULL)");
            statement.execute("INSERT INTO corpus_probe VALUES (1, 0)");
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private String with(String parameters) {
        if (parameters.isEmpty()) {
            return url;
        }
        if (target == Target.H2) {
            return url + ';' + parameters;
        }
        return url + (url.contains("?") ? '&' : '?') + parameters;
    }

    /** A case that waits for itself should end soon. */
    private String onOpen() {
        return switch (target) {
            case H2 -> "SET LOCK_TIMEOUT 3000";
            case POSTGRES, POSTGRES15 -> "SET lock_timeout = '3s'";
            case MARIADB, MYSQL -> "SET innodb_lock_wait_timeout = 3, lock_wait_timeout = 5";
        };
    }

    /** Runs one case. */
    public Result run(CorpusCase what) {
        try {
            use(what.fixture());
            Result result = judged(what);
            if (result.detail().contains(CHANGED_TYPE)) {
                closePools();
                result = judged(what);
            }
            if (!result.outcome().accepted()) {
                closePools(); // whatever their sessions are in
            }
            return result;
        } catch (SQLException | RuntimeException e) {
            try {
                closePools();
            } catch (SQLException closing) {
                e.addSuppressed(closing);
            }
            forgetFixture();
            return new Result(what, Outcome.INVALID, "cannot be set up: " + e);
        }
    }

    private Result judged(CorpusCase what) throws SQLException {
        Pool pool = pool(what.url());
        reset();
        Governed commit = null;
        if (what.wanted() == Wanted.REFUSED) {
            // First, because plain JDBC might leave no tables behind.
            commit = governed(what, true);
            if (commit.problem() == null && commit.script().refusedAt() < 0) {
                commit = null;
                reset();
            }
        }
        Script plain = new Script(what, pool, setup, failure -> "", -1);
        List<String> wanted = List.of();
        if (commit == null) {
            plain.run();
            if (plain.failure() != null) {
                return new Result(what, Outcome.INVALID, "plain JDBC: " + plain.failure());
            }
            wanted = rows(what.varies());
            reset();
            commit = governed(what, true);
        }
        Result bad = commit.problem();
        if (bad != null) {
            return bad;
        }
        int refusedAt = commit.script().refusedAt();
        Script reference = plain;
        if (refusedAt >= 0) {
            List<String> after = rows(what.varies());
            reset();
            reference = new Script(what, pool, setup, failure -> "", refusedAt);
            reference.run();
            wanted = rows(what.varies());
            if (!after.equals(wanted)) {
                return new Result(what, Outcome.DIFFERENT, "refused after changes: " + difference(wanted, after));
            }
        } else {
            List<String> after = rows(what.varies());
            if (!after.equals(wanted) && !what.varies().contains("*")) {
                return new Result(what, Outcome.DIFFERENT, "committed rows: " + difference(wanted, after));
            }
        }
        List<String> shown = comparable(reference.log(), what.varies());
        List<String> seen = comparable(commit.script().log(), what.varies());
        if (!shownAsWell(shown, seen)) {
            return new Result(what, Outcome.DIFFERENT, "shown: " + difference(shown, seen));
        }

        reset();
        List<String> wantedBack = rows(what.left());
        Governed rollback = governed(what, false);
        bad = rollback.problem();
        if (bad != null) {
            return bad;
        }
        if (rollback.script().refusedAt() != refusedAt) {
            return new Result(what, Outcome.DIFFERENT, "refused one time and not the other");
        }
        if (what.wanted() == Wanted.ATTENTION) {
            return new Result(what, Outcome.EXACT, "");
        }
        List<String> after = rows(what.left());
        if (!after.equals(wantedBack)) {
            return new Result(what, Outcome.WRONG, "after the rollback: " + difference(wantedBack, after));
        }
        return refusedAt >= 0
                ? new Result(what, Outcome.REFUSED, commit.script().refused())
                : new Result(what, Outcome.EXACT, "");
    }

    /** Where values vary, what was shown of rows does too, and how many there were does not, unless that is left to chance as well. */
    private static List<String> comparable(List<String> log, Set<String> varies) {
        return varies.isEmpty()
                ? log
                : varies.contains("*")
                        ? List.of()
                        : log.stream()
                                .filter(line -> line.startsWith("count"))
                                .map(line -> line.replaceAll(" (keys|rows) \\[.*", ""))
                                .toList();
    }

    /** Some drivers show fewer generated keys than there are, do not count, or do not say why: the proxy may show all, count, and say it. */
    private static boolean shownAsWell(List<String> wanted, List<String> is) {
        boolean equal = wanted.size() == is.size();
        for (int i = 0; equal && i < is.size(); i++) {
            String one = wanted.get(i);
            boolean more = one.contains(" keys [")
                    && one.endsWith("]")
                    && is.get(i).startsWith(one.substring(0, one.length() - 1) + ", ");
            boolean counted = one.startsWith("counts ")
                    && is.get(i).matches(Pattern.quote(one).replace("?", "\\E-?\\d+\\Q"));
            boolean stated = one.startsWith("fails null ") && is.get(i).endsWith(one.substring("fails null".length()));
            equal = more || counted || stated || is.get(i).equals(one);
        }
        return equal;
    }

    /** A run under a global transaction, and what is bad about it; null if nothing is so far. */
    private record Governed(Script script, Result problem) {}

    private Governed governed(CorpusCase what, boolean commit) throws SQLException {
        Subject subject = subject(what.url());
        Script script = new Script(what, subject.dataSource(), setup, subject::refusal, -1);
        subject.begin();
        script.run();
        subject.unbind();
        List<String> decidedOn = what.wanted() == Wanted.ATTENTION ? rows(Set.of()) : List.of();
        boolean broken = script.failure() != null;
        String ending;
        try {
            ending = commit && !broken ? subject.commit() : subject.rollback();
        } catch (RuntimeException e) {
            ending = "retry " + e;
        }
        String left = subject.undoTable();
        Result problem = null;
        String phase = commit && !broken ? "commit: " : "rollback: ";
        if (what.wanted() == Wanted.ATTENTION && !commit && !broken) {
            List<String> after = rows(Set.of());
            if (!after.equals(decidedOn)) {
                problem = new Result(what, Outcome.WRONG, "over somebody's change: " + difference(decidedOn, after));
            } else if (ending.startsWith("retry")) {
                problem = new Result(what, Outcome.STUCK, phase + ending);
            } else if (!ending.startsWith("attention")) {
                problem = new Result(what, Outcome.WRONG, "somebody's change was not noticed");
            }
        } else if (broken && !rows(Set.of()).equals(before)) {
            problem = new Result(
                    what,
                    ending.isEmpty() ? Outcome.WRONG : ending.startsWith("retry") ? Outcome.STUCK : Outcome.LOUD,
                    script.failure() + "; then " + phase + ending + difference(before, rows(Set.of())));
        } else if (broken) {
            problem = new Result(what, Outcome.DIFFERENT, "failed: " + script.failure());
        } else if (ending.startsWith("retry")) {
            problem = new Result(what, Outcome.STUCK, phase + ending);
        } else if (!ending.isEmpty()) {
            problem = new Result(what, Outcome.LOUD, phase + ending);
        } else if (!left.isEmpty()) {
            problem = new Result(what, Outcome.DIFFERENT, phase + "left in the undo table: " + left);
        }
        if (!ending.isEmpty() || !left.isEmpty()) {
            execute(List.of("DELETE FROM undo_log"));
            forgetSubjects();
        }
        return new Governed(script, problem);
    }

    private static String difference(List<String> wanted, List<String> is) {
        List<String> missing = new ArrayList<>(wanted);
        is.forEach(missing::remove);
        List<String> extra = new ArrayList<>(is);
        wanted.forEach(extra::remove);
        String text = "should be " + missing + " and is " + extra;
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + " ...";
    }

    private Pool pool(String parameters) {
        return pools.computeIfAbsent(parameters, added -> new Pool(with(added), user, password, onOpen()));
    }

    /** What a subject has learnt about tables holds for one fixture only: it forgets, or is made anew. */
    private Subject subject(String parameters) {
        return running.computeIfAbsent(parameters, added -> subjects.apply(pool(added)));
    }

    private void forgetSubjects() {
        running.clear();
    }

    private void forgetFixture() {
        running.values().removeIf(subject -> !(subject instanceof Forgetful));
        running.values().forEach(subject -> ((Forgetful) subject).forget());
        Fixture old = fixture;
        fixture = null;
        if (old == null) {
            return;
        }
        try {
            execute(old.drop(target));
        } catch (SQLException e) {
            throw new IllegalStateException("cannot drop " + old.name(), e);
        }
    }

    private void use(Fixture next) throws SQLException {
        if (next.equals(fixture)) {
            return;
        }
        forgetFixture();
        fixture = next;
        execute(next.create());
        try (Connection connection = setup.getConnection()) {
            dump = new Dump(target, next, connection);
        }
        reset();
        before = rows(Set.of());
    }

    private void reset() throws SQLException {
        List<String> all = new ArrayList<>(fixture.reset(target));
        all.add("UPDATE corpus_probe SET n = 0");
        execute(List.of(String.join(";\n", all)));
    }

    private void execute(List<String> statements) throws SQLException {
        try (Connection connection = setup.getConnection();
                Statement statement = connection.createStatement()) {
            if (target.speaksMySql()) {
                statement.execute("SET FOREIGN_KEY_CHECKS = 0");
            }
            for (String sql : statements) {
                statement.execute(sql);
                while (statement.getMoreResults() || statement.getUpdateCount() != -1) {
                    continue; // a later statement of the text fails here
                }
            }
            if (target.speaksMySql()) {
                statement.execute("SET FOREIGN_KEY_CHECKS = 1");
            }
        }
    }

    private List<String> rows(Set<String> without) throws SQLException {
        try (Connection connection = setup.getConnection();
                Statement statement = connection.createStatement()) {
            List<String> rows = new ArrayList<>(dump.rows(connection, without));
            rows.add("corpus_probe: " + Values.rows(statement.executeQuery("SELECT n FROM corpus_probe")));
            return rows;
        }
    }

    private void closePools() throws SQLException {
        forgetSubjects();
        for (Pool pool : pools.values()) {
            pool.close();
        }
        pools.clear();
    }

    @Override
    public void close() throws SQLException {
        closePools();
        setup.close();
    }
}
