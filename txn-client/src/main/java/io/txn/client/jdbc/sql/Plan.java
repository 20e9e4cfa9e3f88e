package io.txn.client.jdbc.sql;

import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What a statement is, and the pieces of it that capturing needs. Immutable; cached per SQL text. */
public sealed interface Plan {

    /** Reads without locking, or says something about the session: runs as it is. */
    record Read() implements Plan {}

    /**
     * Reads, and on the way sets what its parameters name: a {@link Read} if those may be set.
     *
     * @param names the numbers of the parameters, from 1
     */
    record Setting(List<Integer> names) implements Plan {
        public Setting {
            names = List.copyOf(names);
        }

        /** Whether PostgreSQL's setting of this name is the application's own, or concerns nobody else. */
        public static boolean isHarmless(String name) {
            return ReadCheck.isHarmless(name);
        }
    }

    /**
     * Calls a routine, or on H2 an expression.
     *
     * @param routine its name; null where it is not called by a plain name
     * @param result whether what it returns is a parameter: a function
     * @param body the text behind CALL
     */
    record Call(@Nullable TableName routine, boolean result, String body) implements Plan {}

    /**
     * {@code SET CONSTRAINTS … DEFERRED}.
     *
     * @param names those that are named; empty for ALL
     */
    record Deferring(List<String> names) implements Plan {
        public Deferring {
            names = List.copyOf(names);
        }
    }

    /** {@code SET TRANSACTION ISOLATION LEVEL}, which on MySQL and MariaDB holds for the next transaction only. */
    record OnceIsolated() implements Plan {}

    /** Is not run inside a global transaction. */
    record Refused(String reason, String rewrite) implements Plan {}

    /**
     * A read whose rows no other global transaction may hold: one that locks rows, or that is to show committed ones.
     *
     * @param sources the tables whose rows it locks
     * @param head SELECT and its list
     * @param rest what follows the list, up to the clause that locks
     * @param tables what follows FROM
     * @param where the condition without the word; empty when there is none
     * @param lock the clause that locks; empty when the application's statement has none
     * @param keyed whether each row that it returns is one of each of its tables, so that their keys may stand behind its list; if not, all that
     *     the condition matches is locked and checked
     * @param outer whether a table is joined by an outer join
     * @param waits whether it waits for locked rows
     */
    record LockingRead(
            List<Source> sources,
            Fragment head,
            Fragment rest,
            Fragment tables,
            Fragment where,
            Fragment lock,
            boolean keyed,
            boolean outer,
            boolean waits)
            implements Plan {
        public LockingRead {
            sources = List.copyOf(sources);
        }
    }

    /**
     * Transaction control.
     *
     * @param name of the savepoint, if it is about one
     */
    record Control(Word word, String name) implements Plan {}

    /** What transaction control says. */
    enum Word {
        BEGIN,
        COMMIT,
        ROLLBACK,
        SAVEPOINT,
        ROLLBACK_TO,
        RELEASE,
        AUTO_COMMIT_ON,
        AUTO_COMMIT_OFF
    }

    /** A plan that changes rows of one table. */
    sealed interface Write extends Plan {
        TableName table();

        /** The whole statement, without what follows its last token. */
        Fragment statement();

        /** The application's own RETURNING, or null. */
        default @Nullable Returning returning() {
            return null;
        }
    }

    /**
     * {@code INSERT … VALUES}.
     *
     * @param columns those named; empty when the table's own order counts
     * @param rows the values, as many a row as columns
     * @param head all before the first row
     * @param rowTexts the rows with their parentheses
     */
    record Insert(
            TableName table,
            Fragment statement,
            List<Identifier> columns,
            List<List<InsertValue>> rows,
            Fragment head,
            List<Fragment> rowTexts)
            implements Write {
        public Insert {
            columns = List.copyOf(columns);
            rows = rows.stream().map(List::copyOf).toList();
            rowTexts = List.copyOf(rowTexts);
        }
    }

    /**
     * Any other INSERT, and REPLACE: from a SELECT, with SET or DEFAULT VALUES, that says what happens with rows that exist, or that shows its rows
     * itself.
     *
     * @param replace whether it is REPLACE
     * @param ignores whether it says IGNORE
     * @param conflict what happens with a row that exists
     * @param columns those named; empty when the table's own order counts
     * @param rows the values where the statement lists them; empty when they come from a SELECT
     * @param target all from the table's name to the end of the values: what follows INSERT or REPLACE
     * @param rowAlias MySQL's {@code AS alias} behind the values; empty when there is none
     * @param head all before the table's name, such as {@code INSERT IGNORE INTO}
     * @param action what follows {@code ON DUPLICATE KEY UPDATE}; {@code ON CONFLICT … DO UPDATE SET …} as a whole, without its condition; empty when there is
     *     no such clause
     * @param condition what follows WHERE in DO UPDATE; empty when there is none
     * @param body all before RETURNING
     * @param assigned the columns that an existing row may be changed in
     * @param row what the statement calls a row of the table: its alias or name
     * @param returning what the application wants to see, or null
     * @param single the statement in pieces, when it lists one row of values that several executions may list together; null otherwise
     */
    record RichInsert(
            TableName table,
            Fragment statement,
            boolean replace,
            boolean ignores,
            Conflict conflict,
            List<Identifier> columns,
            List<List<InsertValue>> rows,
            Fragment rowAlias,
            Fragment head,
            Fragment target,
            Fragment action,
            Fragment condition,
            Fragment body,
            List<Identifier> assigned,
            String row,
            @Nullable Returning returning,
            @Nullable SingleRow single)
            implements Write {
        public RichInsert {
            columns = List.copyOf(columns);
            rows = rows.stream().map(List::copyOf).toList();
            assigned = List.copyOf(assigned);
        }
    }

    /**
     * An INSERT that lists one row of values, and says the same whichever rows stand beside it: nothing in it but that row has parameters, and nothing
     * looks at other rows.
     *
     * @param head all before the row
     * @param row the row with its parentheses
     * @param tail what follows it, up to RETURNING
     */
    record SingleRow(Fragment head, Fragment row, Fragment tail) {}

    /** What an INSERT does with a row whose key is taken. */
    enum Conflict {
        FAIL,
        /** IGNORE, ON CONFLICT DO NOTHING. */
        SKIP,
        /** ON DUPLICATE KEY UPDATE, ON CONFLICT DO UPDATE, REPLACE. */
        CHANGE
    }

    /**
     * {@code MERGE}.
     *
     * @param body all before RETURNING
     * @param assigned the columns that it may change rows in
     * @param deletes whether it may delete rows
     * @param returning what the application wants to see, or null
     * @param row what the statement calls the row that is there: the table's alias or name
     * @param matched {@code body} in pieces: up to the first {@code WHEN MATCHED}, its condition (empty when there is none), up to the next, its
     *     condition, …, the rest
     * @param keyed the pieces of H2's {@code MERGE … KEY}; null when it is {@code MERGE … USING}
     */
    record Merge(
            TableName table,
            Fragment statement,
            Fragment body,
            List<Identifier> assigned,
            boolean deletes,
            @Nullable Returning returning,
            String row,
            List<Fragment> matched,
            @Nullable KeyedMerge keyed)
            implements Write {
        public Merge {
            assigned = List.copyOf(assigned);
            matched = List.copyOf(matched);
        }
    }

    /**
     * H2's {@code MERGE INTO table (columns) KEY (columns) VALUES …}, or with a query instead.
     *
     * @param columns those named; empty when the table's own order counts
     * @param key those that decide which row is meant; empty when the primary key does
     * @param rows the values, with their parameters; empty where a query gives them
     * @param query what gives the rows; null where they are listed
     */
    record KeyedMerge(
            List<Identifier> columns,
            List<Identifier> key,
            List<List<InsertValue>> rows,
            @Nullable Fragment query) {
        public KeyedMerge {
            columns = List.copyOf(columns);
            key = List.copyOf(key);
            rows = rows.stream().map(List::copyOf).toList();
        }
    }

    /**
     * What follows RETURNING.
     *
     * @param list the expressions
     * @param old how the statement calls the row before; null when it does not give it a name
     * @param now how the statement calls the row after; null when it does not give it a name
     * @param mentions whether the list may speak of {@code old} or {@code new}
     */
    record Returning(
            Fragment list, @Nullable String old, @Nullable String now, boolean mentions) {}

    /**
     * A table that an UPDATE or DELETE names.
     *
     * @param row what the statement calls a row of it, as written: its alias or its name
     */
    record Source(TableName table, String row) {

        /** The only source that goes by this name; null when there is none, or more than one. */
        public static @Nullable Source find(List<Source> sources, Identifier name) {
            List<Source> same = named(sources, row -> row.equals(name.text()));
            List<Source> alike = same.isEmpty() ? named(sources, row -> row.equalsIgnoreCase(name.text())) : same;
            return alike.size() == 1 ? alike.get(0) : null;
        }

        private static List<Source> named(List<Source> sources, Predicate<String> name) {
            return sources.stream()
                    .filter(s -> name.test(Identifier.of(s.row()).text()))
                    .toList();
        }
    }

    /**
     * Which rows an UPDATE or DELETE means.
     *
     * @param statement the whole statement
     * @param with {@code WITH …} before the verb; empty when there is none
     * @param from what a SELECT of the rows reads from
     * @param sources the tables that may be written: the one named, or, where MySQL joins several, all of those
     * @param several whether columns have to be qualified, because the statement reads other tables as well
     * @param head all before WHERE
     * @param where the condition without the word; empty when there is none
     * @param tail ORDER BY, LIMIT, FETCH; empty when there are none
     * @param body all before RETURNING
     * @param returning what the application wants to see, or null
     * @param ignores whether rows that cannot be written are passed over
     */
    record Selection(
            Fragment statement,
            Fragment with,
            List<Fragment> from,
            List<Source> sources,
            boolean several,
            Fragment head,
            Fragment where,
            Fragment tail,
            Fragment body,
            @Nullable Returning returning,
            boolean ignores) {
        public Selection {
            from = List.copyOf(from);
            sources = List.copyOf(sources);
        }
    }

    /** An UPDATE or a DELETE. */
    sealed interface Modification extends Write {
        Selection selection();

        @Override
        default TableName table() {
            return selection().sources().get(0).table();
        }

        @Override
        default Fragment statement() {
            return selection().statement();
        }

        @Override
        default @Nullable Returning returning() {
            return selection().returning();
        }
    }

    /**
     * A column on the left of an equals sign.
     *
     * @param row what stands before its dot; null when it is not qualified
     */
    record Assigned(@Nullable Identifier row, Identifier column) {}

    /**
     * {@code UPDATE}.
     *
     * @param assigned the columns that it sets
     * @param verb all up to SET
     * @param assignments what follows SET
     * @param values what the columns are set to, in the order of {@code assigned}; empty when that is not plain
     * @param demands what its condition demands of its rows; nothing when the statement is not plain, or holds a query
     * @param rest from the end of the assignments to WHERE
     */
    record Update(
            Selection selection,
            List<Assigned> assigned,
            Fragment verb,
            Fragment assignments,
            List<NewValue> values,
            KeyCondition demands,
            Fragment rest)
            implements Modification {
        public Update {
            assigned = List.copyOf(assigned);
            values = List.copyOf(values);
        }
    }

    /**
     * {@code DELETE}.
     *
     * @param targets those of the sources that rows are deleted from
     */
    record Delete(Selection selection, List<Source> targets) implements Modification {
        public Delete {
            targets = List.copyOf(targets);
        }
    }
}
