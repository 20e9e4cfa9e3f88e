package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.select.FromItem;
import net.sf.jsqlparser.statement.select.Join;
import net.sf.jsqlparser.statement.select.PlainSelect;

/** Plans what only reads, or seems to. */
final class ReadPlanner {

    private static final Set<String> LOCK_STRENGTHS = Set.of("UPDATE", "SHARE", "NO", "KEY");
    private static final Set<String> SET_OPERATIONS = Set.of("UNION", "INTERSECT", "EXCEPT", "MINUS");
    private static final String DIRTY = "read the rows by SELECT … FROM tables WHERE …";

    private final StatementText text;

    ReadPlanner(StatementText text) {
        this.text = text;
    }

    Plan plan() throws NotUnderstood {
        if (ReadCheck.mayWrite(text.tokens())) {
            throw new NotUnderstood(
                    "a read that holds a write (a data-changing WITH, INTO, EXPLAIN ANALYZE) is not captured",
                    "send the write as a statement of its own");
        }
        int lock = lockClause();
        if (lock < 0) {
            return new Plan.Read();
        }
        if (!text.is(0, "SELECT")) {
            throw new NotUnderstood(
                    "it locks rows, and is not a simple SELECT", "lock with SELECT … FROM table WHERE … FOR UPDATE");
        }
        return lockingRead(lock);
    }

    /** How it shows committed rows only. What decides about rows and is not shown itself cannot be checked: sub-queries, groups. */
    Plan committed() throws NotUnderstood {
        if (lockClause() >= 0) {
            return plan();
        }
        int selects = 0;
        for (int i = 0; i < text.size(); i++) {
            boolean reads = text.is(i, "SELECT")
                    || text.is(i, "TABLE")
                            && (i == 0 || text.isSymbol(i - 1, '(') || SET_OPERATIONS.contains(text.upper(i - 1)));
            selects += reads ? 1 : 0;
        }
        boolean readsNothing =
                text.is(0, "SHOW") || text.is(0, "DESCRIBE") || text.is(0, "DESC") || text.is(0, "EXPLAIN");
        if (selects == 0 || readsNothing) {
            return new Plan.Read();
        }
        refuseUnless(
                selects == 1 && text.is(0, "SELECT"),
                "which rows of a sub-query, WITH or UNION it depends on cannot be checked",
                DIRTY);
        int from = from(text.size());
        if (from < 0 || from + 2 == text.size() && text.is(from + 1, "DUAL")) {
            return new Plan.Read();
        }
        Plan.LockingRead read = lockingRead(text.size());
        refuseUnless(read.keyed(), "which rows went into a group, an aggregate or a window cannot be checked", DIRTY);
        return read;
    }

    /** The index of the token that begins FOR UPDATE and the like, or -1; refuses one inside a sub-query. */
    int lockClause() throws NotUnderstood {
        for (int i = 0; i < text.size(); i++) {
            boolean forLock =
                    text.token(i).is("FOR") && i + 1 < text.size() && LOCK_STRENGTHS.contains(text.upper(i + 1));
            boolean lockInShare = text.token(i).is("LOCK")
                    && i + 1 < text.size()
                    && text.token(i + 1).is("IN");
            if (forLock || lockInShare) {
                if (text.token(i).depth() > 0) {
                    throw new NotUnderstood("a sub-query locks rows", "lock them by a SELECT of their own");
                }
                return i;
            }
        }
        return -1;
    }

    /** The FROM that ends the list, or -1; {@code IS DISTINCT FROM} does not. */
    private int from(int end) {
        int from = text.topLevel("FROM", 1, end);
        while (from > 1 && text.is(from - 1, "DISTINCT")) {
            from = text.topLevel("FROM", from + 1, end);
        }
        return from;
    }

    /** @param lock where the clause that locks begins; the end when there is none */
    private Plan.LockingRead lockingRead(int lock) throws NotUnderstood {
        refuseUnless(
                text.topLevel("INTO", 1, text.size()) < 0,
                "INTO a variable, of rows that are locked or checked: keys are read with them, for which it has no place",
                "read the rows, and set the variable by a statement of its own");
        Statement parsed = text.parse(lock);
        if (!(parsed instanceof PlainSelect select)) {
            throw new NotUnderstood("it locks rows of more than one SELECT", "lock them by a SELECT of their own");
        }
        refuseUnless(
                isEmpty(select.getWithItemsList())
                        && select.getDistinct() == null
                        && select.getGroupBy() == null
                        && select.getHaving() == null,
                "DISTINCT, GROUP BY and WITH hide which rows were locked",
                "select the keys first, then lock by key");
        int from = from(lock);
        refuseUnless(from > 1, "its FROM was not found", OUTSIDE);
        int where = text.topLevel("WHERE", from, lock);
        int tail = tail(from, lock);
        refuseUnless(where < tail, "its clauses are out of order", OUTSIDE);
        int tablesEnd = where > 0 ? where : tail;
        List<Plan.Source> sources =
                new SourceReader(text).readJoined(from + 1, tablesEnd).all();
        agree(sources, select);
        boolean limited = select.getLimit() != null
                || select.getOffset() != null
                || select.getFetch() != null
                || select.getTop() != null
                || select.getFirst() != null
                || select.getSkip() != null;
        boolean skips = text.topLevel("SKIP", lock, text.size()) > 0;
        boolean keyed = !Aggregation.isPossible(text.tokens().subList(1, from))
                && !Aggregation.isPossible(text.tokens().subList(tail, lock))
                && text.topLevel("OVER", 1, lock) < 0;
        refuseUnless(
                keyed || !limited && !skips,
                "a function in its list may make one row out of several, and LIMIT and SKIP LOCKED hide which were locked",
                "select the keys first, then lock by key");
        return new Plan.LockingRead(
                locked(sources, lock),
                text.fragment(0, from),
                text.fragment(from, lock),
                text.fragment(from + 1, tablesEnd),
                where > 0 ? text.fragment(where + 1, tail) : Fragment.EMPTY,
                text.fragment(lock, text.size()),
                keyed,
                isOuter(from, tablesEnd),
                text.topLevel("NOWAIT", lock, text.size()) < 0);
    }

    /** Where the first clause behind WHERE begins. */
    private int tail(int from, int lock) {
        int first = lock;
        for (String word : List.of("WINDOW", "QUALIFY", "ORDER", "LIMIT", "OFFSET", "FETCH")) {
            int at = text.topLevel(word, from, lock);
            first = at > 0 ? Math.min(first, at) : first;
        }
        return first;
    }

    /** The parser has to have found the same tables. */
    private static void agree(List<Plan.Source> sources, PlainSelect select) throws NotUnderstood {
        List<FromItem> items = new ArrayList<>();
        items.add(select.getFromItem());
        if (select.getJoins() != null) {
            for (Join join : select.getJoins()) {
                items.add(join.getFromItem());
            }
        }
        boolean same = items.size() == sources.size();
        for (int i = 0; same && i < items.size(); i++) {
            same = items.get(i) instanceof Table table
                    && table.getSampleClause() == null
                    && StatementText.sameName(sources.get(i).table(), table)
                    && (table.getAlias() == null
                            || table.getAlias().getAliasColumns() == null
                                    && sources.get(i)
                                            .row()
                                            .equals(table.getAlias().getName()));
        }
        refuseUnless(
                same,
                "its tables are read in two ways",
                "write FROM table alias JOIN table alias ON …, without parentheses");
    }

    /** Those of the sources that OF names; all when there is none. */
    private List<Plan.Source> locked(List<Plan.Source> sources, int lock) throws NotUnderstood {
        List<Plan.Source> named = new ArrayList<>();
        boolean all = lock == text.size();
        for (int i = lock; i < text.size(); i++) {
            if (text.is(i, "FOR") || text.is(i, "LOCK")) {
                int next = i + 1;
                while (next < text.size() && !text.is(next, "FOR") && !text.is(next, "OF")) {
                    next++;
                }
                all |= !text.is(next, "OF");
            }
            if (text.is(i, "OF")) {
                do {
                    i++;
                    refuseUnless(i < text.size() && text.isName(i), "its OF is not understood", OUTSIDE);
                    Plan.Source source = Plan.Source.find(
                            sources, Identifier.of(text.token(i).text()));
                    refuseUnless(source != null, "its OF names a table that it does not read", "name the alias in OF");
                    if (source != null) {
                        named.add(source);
                    }
                    i++;
                } while (text.isSymbol(i, ','));
                i--;
            }
        }
        return all ? sources : named;
    }

    private boolean isOuter(int from, int to) {
        for (int i = from; i < to; i++) {
            boolean side = text.is(i, "LEFT") || text.is(i, "RIGHT") || text.is(i, "FULL");
            if (side && (text.is(i + 1, "JOIN") || text.is(i + 1, "OUTER") || text.is(i - 1, "NATURAL"))) {
                return true;
            }
        }
        return false;
    }
}
