package io.txn.client.jdbc.sql;

import static io.txn.client.jdbc.sql.StatementText.OUTSIDE;
import static io.txn.client.jdbc.sql.StatementText.isEmpty;
import static io.txn.client.jdbc.sql.StatementText.refuseUnless;

import java.util.Set;
import net.sf.jsqlparser.schema.Table;
import net.sf.jsqlparser.statement.Statement;
import net.sf.jsqlparser.statement.select.PlainSelect;

/** Plans what only reads, or seems to. */
final class ReadPlanner {

    private static final Set<String> LOCK_STRENGTHS = Set.of("UPDATE", "SHARE", "NO", "KEY");

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
        refuseUnless(
                !asksForRowCount(),
                "ROW_COUNT() would tell of the statements that capture changes, too",
                "use the update count that JDBC returns");
        int lock = lockClause();
        if (lock < 0) {
            return new Plan.Read();
        }
        if (!text.is(0, "SELECT")) {
            throw new NotUnderstood(
                    "it locks rows, and is not a simple SELECT",
                    "lock with SELECT … FROM one_table WHERE … FOR UPDATE");
        }
        return lockingRead(lock);
    }

    private boolean asksForRowCount() {
        for (int i = 0; i + 1 < text.size(); i++) {
            if (text.is(i, "ROW_COUNT") && text.isSymbol(i + 1, '(')) {
                return true;
            }
        }
        return false;
    }

    /** The index of the token that begins FOR UPDATE and the like, or -1; refuses one inside a sub-query. */
    private int lockClause() throws NotUnderstood {
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

    private Plan.LockingRead lockingRead(int lock) throws NotUnderstood {
        for (int i = lock; i < text.size(); i++) {
            if (text.token(i).is("SKIP")) {
                throw new NotUnderstood(
                        "the rows that SKIP LOCKED leaves out cannot be told from those it returns",
                        "lock a row by its key, with NOWAIT");
            }
        }
        Statement parsed = text.parse(lock);
        if (!(parsed instanceof PlainSelect select)) {
            throw new NotUnderstood("it locks rows of more than one SELECT", "lock them by a SELECT of their own");
        }
        refuseUnless(
                select.getFromItem() instanceof Table
                        && isEmpty(select.getJoins())
                        && isEmpty(select.getWithItemsList()),
                "it locks rows of more than one table",
                "lock the rows of each table by a SELECT of its own");
        refuseUnless(
                select.getLimit() == null
                        && select.getOffset() == null
                        && select.getFetch() == null
                        && select.getTop() == null
                        && select.getFirst() == null
                        && select.getSkip() == null
                        && select.getDistinct() == null
                        && select.getGroupBy() == null
                        && select.getHaving() == null,
                "LIMIT, DISTINCT and GROUP BY hide which rows were locked",
                "select the keys first, then lock by key");
        int from = text.topLevel("FROM", 0, lock);
        refuseUnless(from > 0, "its FROM was not found", OUTSIDE);
        int where = text.topLevel("WHERE", from, lock);
        int order = text.topLevel("ORDER", from, lock);
        int sourceEnd = where > 0 ? where : order > 0 ? order : lock;
        int whereEnd = order > 0 ? order : lock;
        StatementText.Source source = text.source(from + 1, sourceEnd);
        text.agree(source, (Table) select.getFromItem());
        Fragment condition = where > 0 ? text.fragment(where + 1, whereEnd) : Fragment.EMPTY;
        return new Plan.LockingRead(
                source.name(), text.fragment(from + 1, sourceEnd), condition, text.fragment(lock, text.size()));
    }
}
