package io.txn.client.jdbc.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlannerTest {

    private static Plan plan(String sql) {
        return Planner.plan(sql, SqlSyntax.POSTGRESQL);
    }

    @Test
    void wordsThatOnlyTheParserKeepsAreNames() {
        for (String name : List.of("settings", "errors", "output", "script", "statement", "sample", "FINAL", "prior")) {
            assertThat(plan("INSERT INTO t (id, " + name + ") VALUES (?, ?)"))
                    .as(name)
                    .isInstanceOf(Plan.Insert.class);
            assertThat(plan("SELECT id, " + name + " FROM t WHERE id = 1 FOR UPDATE"))
                    .as(name)
                    .isInstanceOf(Plan.LockingRead.class);
            assertThat(plan("DELETE FROM " + name + " WHERE " + name + ".id = ?"))
                    .as(name)
                    .isInstanceOf(Plan.Delete.class);
            Plan.Update update = (Plan.Update) plan("UPDATE t SET " + name + " = ? WHERE id = ?");
            assertThat(update.assigned()).containsExactly(new Plan.Assigned(null, new Identifier(name, false)));
            assertThat(update.statement().text()).isEqualTo("UPDATE t SET " + name + " = ? WHERE id = ?");
        }
        assertThat(plan("SELECT * FROM FINAL TABLE (UPDATE t SET x = 1)")).isInstanceOf(Plan.Refused.class);
    }

    @Test
    void aLiteralInTheNextLineGoesOnByTheRulesOfTheFirst() {
        Plan.Update update = (Plan.Update) plan("UPDATE t SET a = E'x'\n'y\\' WHERE b = ? -- ' WHERE id = ?");
        assertThat(update.selection().where()).isEqualTo(new Fragment("id = ?", 0, 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE t SET a = |/ b, c = @ -5, d = ||/ 27, e = b <-> c WHERE r -|- s AND b OPERATOR(pg_catalog.+) 3 = 5",
                "UPDATE t SET a = 'x'::varchar COLLATE pg_catalog.\"C\" WHERE b IS NOT JSON OBJECT OR c IS JSON",
                "UPDATE t SET (a, b) = ROW (DEFAULT, 5) WHERE c =-1",
                "UPDATE t SET a = ARRAY['c']::s.step[], b = c::mood[][] WHERE d = ?::my_type(3) AND e::timestamp(3) with time zone > now()",
                "INSERT INTO t VALUES ('c'::mood, ARRAY['c']::mood[])",
                "DELETE FROM t WHERE s LIKE 'b' {escape '!'}",
                "INSERT INTO t (a, b) VALUES (@ -5, |/ 4)",
                "UPDATE \"a.b\" SET x = 'a' 'b'"
            })
    void whatOnlyADatabaseKnowsDoesNotHideTheFormOfAStatement(String sql) {
        assertThat(plan(sql)).isNotInstanceOf(Plan.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE t SET a = b DIV 2, c = BINARY 'x' WHERE b MOD 2 = 1 AND c XOR d",
                "UPDATE t SET a = PREVIOUS VALUE FOR s WHERE b SOUNDS LIKE c",
                "INSERT INTO t VALUES (-7 MOD 3, BINARY 'x', 1 XOR 0)"
            })
    void whatOnlyMySqlKnowsDoesNotHideTheFormOfAStatement(String sql) {
        assertThat(Planner.plan(sql, SqlSyntax.MYSQL)).isNotInstanceOf(Plan.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "UPDATE t SET a = 1 WHERE b = 1 FROBNICATE",
                "UPDATE t SET a = 1 WHERE b = |/",
                "DELETE FROM t WHERE a COLLATE",
                "INSERT INTO t (a) VALUES (1 1)"
            })
    void whatIsNoStatementIsRefused(String sql) {
        assertThat(plan(sql)).isInstanceOf(Plan.Refused.class);
    }

    @Test
    void anUpdateIsCutIntoItsPieces() {
        Plan.Update update = (Plan.Update) Planner.plan(
                "update  s.`t` AS a /* ? */ set a.x = ?, `y`= 'it''s ?' WHERE (a.id = ? OR x IN (SELECT 1 WHERE 1 = ?)) order by x limit ? ; -- end",
                SqlSyntax.MYSQL);
        assertThat(update.table().written()).isEqualTo("s.`t`");
        assertThat(update.table().table()).isEqualTo(new Identifier("t", true));
        assertThat(update.assigned())
                .containsExactly(
                        new Plan.Assigned(new Identifier("a", false), new Identifier("x", false)),
                        new Plan.Assigned(null, new Identifier("y", true)));
        Plan.Selection selection = update.selection();
        assertThat(selection.from()).containsExactly(new Fragment("s.`t` AS a", 0, 0));
        assertThat(selection.sources()).containsExactly(new Plan.Source(update.table(), "a"));
        assertThat(selection.several()).isFalse();
        assertThat(selection.head().text()).startsWith("update  s.`t`").endsWith("'it''s ?'");
        assertThat(selection.head().parameterCount()).isEqualTo(1);
        assertThat(selection.where()).isEqualTo(new Fragment("(a.id = ? OR x IN (SELECT 1 WHERE 1 = ?))", 1, 2));
        assertThat(selection.tail()).isEqualTo(new Fragment("order by x limit ?", 3, 1));
        assertThat(update.assignments()).isEqualTo(new Fragment("a.x = ?, `y`= 'it''s ?'", 0, 1));
        assertThat(update.statement().parameterCount()).isEqualTo(4);
        assertThat(update.statement().text()).doesNotContain(";").doesNotContain("end");
    }

    @Test
    void aDeleteIsCutIntoItsPieces() {
        Plan.Delete delete = (Plan.Delete) plan("DELETE FROM \"My Table\" t WHERE t.a = ?");
        assertThat(delete.selection().from().get(0).text()).isEqualTo("\"My Table\" t");
        assertThat(delete.selection().head().text()).isEqualTo("DELETE FROM \"My Table\" t");
        assertThat(delete.selection().where()).isEqualTo(new Fragment("t.a = ?", 0, 1));
        assertThat(delete.selection().tail().isEmpty()).isTrue();

        Plan.Delete all = (Plan.Delete) plan("delete from t");
        assertThat(all.selection().where().isEmpty()).isTrue();
        assertThat(all.selection().head().text()).isEqualTo("delete from t");
    }

    private static List<String> rows(List<Plan.Source> sources) {
        return sources.stream().map(s -> s.table().written() + ' ' + s.row()).toList();
    }

    @Test
    void anUpdateOfPostgresThatReadsOtherTablesIsCutIntoItsPieces() {
        Plan.Update update = (Plan.Update) plan(
                "WITH w AS (SELECT ? AS a) UPDATE ONLY s.t AS x SET (a, b) = (SELECT 1, ?), c = d IS DISTINCT FROM e"
                        + " FROM w JOIN u ON u.a = w.a, v WHERE x.a = ? RETURNING x.*, old.a, ?");
        Plan.Selection selection = update.selection();
        assertThat(selection.with()).isEqualTo(new Fragment("WITH w AS (SELECT ? AS a)", 0, 1));
        assertThat(selection.from())
                .containsExactly(new Fragment("ONLY s.t AS x", 1, 0), new Fragment("w JOIN u ON u.a = w.a, v", 2, 0));
        assertThat(rows(selection.sources())).containsExactly("s.t x");
        assertThat(selection.several()).isTrue();
        assertThat(update.assigned().stream().map(a -> a.column().text()).toList())
                .containsExactly("a", "b", "c");
        assertThat(update.assignments().text()).endsWith("IS DISTINCT FROM e");
        assertThat(update.rest().text()).startsWith("FROM w JOIN");
        assertThat(selection.where()).isEqualTo(new Fragment("x.a = ?", 2, 1));
        assertThat(selection.body().text()).endsWith("x.a = ?");
        assertThat(selection.returning())
                .isEqualTo(new Plan.Returning(new Fragment("x.*, old.a, ?", 3, 1), null, null, true));

        Plan.Delete delete = (Plan.Delete) plan("DELETE FROM t USING s, u WHERE s.a = t.a RETURNING *");
        assertThat(delete.selection().from().stream().map(Fragment::text).toList())
                .containsExactly("t", "s, u");
        assertThat(rows(delete.targets())).containsExactly("t t");
        assertThat(delete.selection().several()).isTrue();
    }

    @Test
    void joinsOfMySqlAreCutIntoTheirTables() {
        Plan.Update update = (Plan.Update) Planner.plan(
                "UPDATE LOW_PRIORITY IGNORE `a` x LEFT JOIN (b AS y, (SELECT id, 1 FROM c) z) ON y.id = x.id AND x.t IN (SELECT t FROM d JOIN e)"
                        + " STRAIGHT_JOIN s.f USE INDEX FOR JOIN (i) USING (id), g PARTITION (p0, p1) SET x.a = 1, n = 2 WHERE TRUNCATE(x.b, 0) = 1",
                SqlSyntax.MYSQL);
        Plan.Selection selection = update.selection();
        assertThat(rows(selection.sources())).containsExactly("`a` x", "b y", "s.f f", "g g");
        assertThat(selection.several()).isTrue();
        assertThat(selection.ignores()).isTrue();

        Plan.Delete listed = (Plan.Delete)
                Planner.plan("DELETE QUICK x.*, b FROM a x JOIN b USING (id) WHERE x.c = ?", SqlSyntax.MYSQL);
        assertThat(rows(listed.targets())).containsExactly("a x", "b b");
        Plan.Delete using =
                (Plan.Delete) Planner.plan("DELETE FROM x USING a AS x CROSS JOIN b c WHERE x.c = 1", SqlSyntax.MYSQL);
        assertThat(rows(using.targets())).containsExactly("a x");
        assertThat(rows(using.selection().sources())).containsExactly("a x", "b c");
        assertThat(((Plan.Delete) Planner.plan("DELETE FROM t WHERE a = 1 FETCH NEXT ROW ONLY", SqlSyntax.H2))
                        .selection()
                        .tail()
                        .text())
                .isEqualTo("FETCH NEXT ROW ONLY");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM a JOIN b ON a.id = b.id",
                "DELETE FROM a, b",
                "DELETE c FROM a JOIN b ON a.id = b.id",
                "DELETE a, a FROM a JOIN b ON a.id = b.id",
                "DELETE a FROM s.a JOIN t.a ON 1 = 1",
                "UPDATE a JOIN SET x = 1",
                "UPDATE a FOR PORTION OF p FROM '2020' TO '2021' SET x = 1",
                "UPDATE a, JSON_TABLE('[]', '$' COLUMNS (x INT PATH '$')) j SET a.x = 1",
                "UPDATE a SET x = 1 LIMIT 1 OFFSET 2",
                "DELETE FROM a WHERE x = 1 FETCH FIRST 1 ROW WITH TIES",
            })
    void joinsOfMySqlThatAreNotUnderstoodAreRefused(String sql) {
        assertThat(Planner.plan(sql, SqlSyntax.MYSQL)).isInstanceOf(Plan.Refused.class);
    }

    @Test
    void anInsertIsCutIntoRowsAndValues() {
        Plan.Insert insert = (Plan.Insert)
                plan("INSERT INTO t (id, \"B\") VALUES (?, 'x,(y'), (-1, NULL), (DEFAULT, f(?, 2)), (1 + 1, E'a\\'b')");
        assertThat(insert.columns()).containsExactly(new Identifier("id", false), new Identifier("B", true));
        assertThat(insert.rows().stream()
                        .map(row -> row.stream().map(InsertValue::kind).toList())
                        .toList())
                .containsExactly(
                        List.of(InsertValue.Kind.PARAMETER, InsertValue.Kind.LITERAL),
                        List.of(InsertValue.Kind.LITERAL, InsertValue.Kind.NULL),
                        List.of(InsertValue.Kind.DEFAULT, InsertValue.Kind.EXPRESSION),
                        List.of(InsertValue.Kind.EXPRESSION, InsertValue.Kind.LITERAL));
        assertThat(insert.head().text()).isEqualTo("INSERT INTO t (id, \"B\") VALUES");
        assertThat(insert.rowTexts().get(2)).isEqualTo(new Fragment("(DEFAULT, f(?, 2))", 1, 1));
    }

    @Test
    void anInsertOfAnotherFormIsCutIntoItsPieces() {
        Plan.RichInsert upsert = (Plan.RichInsert)
                plan(
                        "WITH s AS (SELECT ? AS a) INSERT INTO t AS x (a, b) SELECT a, ? FROM s JOIN u ON conflict = 1 ON CONFLICT (lower(a))"
                                + " WHERE b > ? DO UPDATE SET b = ?, (c, \"D\") = (SELECT 1, 2) WHERE x.b < ? RETURNING WITH (OLD AS o) o.a, ?");
        assertThat(upsert.table().written()).isEqualTo("t");
        assertThat(upsert.conflict()).isEqualTo(Plan.Conflict.CHANGE);
        assertThat(upsert.assigned())
                .containsExactly(new Identifier("b", false), new Identifier("c", false), new Identifier("D", true));
        assertThat(upsert.body().text()).endsWith("WHERE x.b < ?");
        assertThat(upsert.body().parameterCount()).isEqualTo(5);
        assertThat(upsert.returning()).isEqualTo(new Plan.Returning(new Fragment("o.a, ?", 5, 1), "o", null, false));

        Plan.RichInsert duplicate = (Plan.RichInsert) Planner.plan(
                "INSERT IGNORE t SET a = ?, t.b = 2 ON DUPLICATE KEY UPDATE t.b = VALUES(b) + ?", SqlSyntax.MYSQL);
        assertThat(duplicate.head()).isEqualTo(new Fragment("INSERT IGNORE", 0, 0));
        assertThat(duplicate.target()).isEqualTo(new Fragment("t SET a = ?, t.b = 2", 0, 1));
        assertThat(duplicate.action()).isEqualTo(new Fragment("t.b = VALUES(b) + ?", 1, 1));
        assertThat(duplicate.columns()).containsExactly(new Identifier("a", false), new Identifier("b", false));
        assertThat(duplicate.assigned()).containsExactly(new Identifier("b", false));

        Plan.RichInsert skip =
                (Plan.RichInsert) plan("INSERT INTO t VALUES (1), (2) ON CONFLICT ON CONSTRAINT k DO NOTHING");
        assertThat(skip.conflict()).isEqualTo(Plan.Conflict.SKIP);
        assertThat(skip.rows()).hasSize(2);
        Plan.RichInsert fail = (Plan.RichInsert) plan("INSERT INTO t DEFAULT VALUES RETURNING *");
        assertThat(fail.conflict()).isEqualTo(Plan.Conflict.FAIL);
        assertThat(((Plan.RichInsert) Planner.plan("REPLACE t VALUES (1)", SqlSyntax.MYSQL)).replace())
                .isTrue();
    }

    @Test
    void aMergeIsCutIntoItsPieces() {
        Plan.Merge merge = (Plan.Merge) plan(
                "MERGE INTO t AS x USING (SELECT 1 AS a) s ON x.a = s.a WHEN MATCHED AND CASE WHEN b THEN c END THEN DELETE"
                        + " WHEN MATCHED THEN UPDATE SET b = CASE WHEN x.b = 1 THEN 2 ELSE 3 END, c = ?"
                        + " WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a) RETURNING merge_action(), new.b");
        assertThat(merge.assigned()).containsExactly(new Identifier("b", false), new Identifier("c", false));
        assertThat(merge.deletes()).isTrue();
        assertThat(merge.body().text()).endsWith("VALUES (s.a)");
        assertThat(merge.row()).isEqualTo("x");
        assertThat(merge.matched().stream().map(Fragment::text).toList())
                .hasSize(5)
                .satisfies(pieces -> {
                    assertThat(pieces.get(0)).endsWith("WHEN MATCHED");
                    assertThat(pieces.get(1)).isEqualTo("CASE WHEN b THEN c END");
                    assertThat(pieces.get(2)).isEqualTo("THEN DELETE WHEN MATCHED");
                    assertThat(pieces.get(3)).isEmpty();
                    assertThat(pieces.get(4)).startsWith("THEN UPDATE SET").endsWith("VALUES (s.a)");
                });
        assertThat(merge.returning())
                .isEqualTo(new Plan.Returning(new Fragment("merge_action(), new.b", 1, 0), null, null, true));

        Plan.Merge keyed =
                (Plan.Merge) Planner.plan("MERGE INTO s.t (a, b) KEY (b) VALUES (?, 1), (2, ?)", SqlSyntax.H2);
        assertThat(keyed.keyed()).isNotNull().satisfies(pieces -> {
            assertThat(pieces.columns()).containsExactly(new Identifier("a", false), new Identifier("b", false));
            assertThat(pieces.key()).containsExactly(new Identifier("b", false));
            assertThat(pieces.rows().get(1).get(1).source()).isEqualTo(new Fragment("?", 1, 1));
        });
    }

    @Test
    void aLockingReadIsCutIntoItsPieces() {
        Plan.LockingRead read =
                (Plan.LockingRead) plan("SELECT a, ? FROM t x WHERE a = ? ORDER BY b FOR UPDATE OF x NOWAIT");
        assertThat(read.head()).isEqualTo(new Fragment("SELECT a, ?", 0, 1));
        assertThat(read.rest()).isEqualTo(new Fragment("FROM t x WHERE a = ? ORDER BY b", 1, 1));
        assertThat(read.tables().text()).isEqualTo("t x");
        assertThat(read.sources()).extracting(Plan.Source::row).containsExactly("x");
        assertThat(read.keyed()).isTrue();
        assertThat(read.waits()).isFalse();
        assertThat(read.where()).isEqualTo(new Fragment("a = ?", 1, 1));
        assertThat(read.lock().text()).isEqualTo("FOR UPDATE OF x NOWAIT");
        assertThat(Planner.plan("SELECT * FROM t WHERE a = 1 LOCK IN SHARE MODE", SqlSyntax.MYSQL))
                .isInstanceOf(Plan.LockingRead.class);
        assertThat(plan("SELECT * FROM t FOR NO KEY UPDATE")).isInstanceOf(Plan.LockingRead.class);
    }

    private static Plan.LockingRead locking(String sql) {
        return (Plan.LockingRead) plan(sql);
    }

    @Test
    void theTablesOfALockingJoinAreThoseThatOfNames() {
        Plan.LockingRead all = locking("SELECT * FROM t x JOIN s.u ON u.a = x.a, w FOR UPDATE");
        assertThat(all.sources()).extracting(Plan.Source::row).containsExactly("x", "u", "w");
        assertThat(all.outer()).isFalse();
        assertThat(all.waits()).isTrue();
        Plan.LockingRead some = locking("SELECT * FROM t LEFT JOIN s ON s.a = t.a LEFT OUTER JOIN u USING (a)"
                + " ORDER BY 1 LIMIT 2 FOR UPDATE OF s FOR SHARE OF t SKIP LOCKED");
        assertThat(some.sources()).extracting(Plan.Source::row).containsExactly("s", "t");
        assertThat(some.outer()).isTrue();
        assertThat(some.lock().text()).isEqualTo("FOR UPDATE OF s FOR SHARE OF t SKIP LOCKED");
        assertThat(locking("SELECT LEFT(a, 1), b IS DISTINCT FROM c FROM t WHERE x FOR UPDATE OF t FOR SHARE")
                        .sources())
                .hasSize(1);
    }

    @Test
    void whatMayMakeOneRowOfSeveralHasNoKeysBehindIt() {
        assertThat(locking("SELECT COALESCE(a, 1), t.* FROM t ORDER BY LOWER(b) FOR UPDATE")
                        .keyed())
                .isTrue();
        assertThat(locking("SELECT COUNT(*) FROM t FOR UPDATE").keyed()).isFalse();
        assertThat(locking("SELECT own_aggregate(a) FROM t FOR UPDATE").keyed()).isFalse();
        assertThat(locking("SELECT s.lower(a) FROM t FOR UPDATE").keyed()).isFalse();
        assertThat(locking("SELECT a FROM t ORDER BY MAX(b) FOR UPDATE").keyed())
                .isFalse();
        assertThat(locking("SELECT a FROM t WHERE b = own(c) FOR UPDATE").keyed())
                .isTrue();
    }

    private static Plan committed(String sql) {
        return Planner.committedRead(sql, SqlSyntax.POSTGRESQL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "SELECT nextval('s')",
                "SHOW x",
                "VALUES (1)",
                "EXPLAIN SELECT * FROM t",
                "SELECT 1 FROM dual"
            })
    void whatReadsNoRowsIsCommittedAnyway(String sql) {
        assertThat(committed(sql)).isInstanceOf(Plan.Read.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM t",
                "SELECT x.a FROM t x LEFT JOIN s ON s.a = x.a WHERE x.b IN (1, 2) ORDER BY x.a LIMIT 3 OFFSET 1",
                "SELECT a, b FROM t, s WHERE t.a = s.a FETCH FIRST 1 ROW ONLY"
            })
    void aPlainSelectOfTablesIsChecked(String sql) {
        assertThat(committed(sql)).isInstanceOfSatisfying(Plan.LockingRead.class, read -> {
            assertThat(read.lock().isEmpty()).isTrue();
            assertThat(read.keyed()).isTrue();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT COUNT(*) FROM t",
                "SELECT own(a) FROM t",
                "SELECT DISTINCT a FROM t",
                "SELECT a FROM t GROUP BY a",
                "SELECT RANK() OVER (ORDER BY a) FROM t",
                "SELECT a FROM t UNION SELECT a FROM s",
                "SELECT a FROM t WHERE a IN (SELECT a FROM s)",
                "SELECT (SELECT 1 FROM s), a FROM t",
                "SELECT a FROM (SELECT a FROM t) x",
                "SELECT a FROM t WHERE EXISTS (TABLE s)",
                "WITH x AS (SELECT a FROM t) SELECT a FROM x",
                "TABLE t",
                "(SELECT a FROM t)",
                "SELECT a FROM generate_series(1, 2)",
                "SELECT a FROM t TABLESAMPLE SYSTEM (1)",
                "SELECT x.a FROM t AS x (b, a)",
                "SELECT a FROM ONLY t"
            })
    void whatCannotBeCheckedIsNotShownAsCommitted(String sql) {
        assertThat(committed(sql)).as(sql).isInstanceOfSatisfying(Plan.Refused.class, refused -> {
            assertThat(refused.reason()).isNotBlank();
            assertThat(refused.rewrite()).isNotBlank();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT 1",
                "(SELECT 1) UNION (SELECT 2)",
                "WITH x AS (SELECT 1) SELECT * FROM x",
                "VALUES (1)",
                "TABLE t",
                "SELECT insert('a', 1, 1, 'b')",
                "SELECT 'delete from t', \"update\" FROM t -- into",
                "SELECT substring(a FROM 1 FOR 2) FROM t",
                "SHOW search_path",
                "EXPLAIN SELECT 1",
                "SELECT j ?? 'a' FROM t",
                "SELECT x.* FROM t x, LATERAL (SELECT 1) y WHERE a @> ?",
            })
    void readsPass(String sql) {
        assertThat(plan(sql)).isInstanceOf(Plan.Read.class);
    }

    static Stream<String> refused() {
        return Stream.of(
                "",
                ";",
                "SELECT 1; DELETE FROM t",
                "UPDATE t SET a = 1; UPDATE t SET a = 2",
                "TRUNCATE t",
                "CREATE TABLE t (a INT)",
                "DROP TABLE t",
                "CALL",
                "{call f()",
                "{call}",
                "{t '10:00:00'}",
                "? = f()",
                "BEGIN ISOLATION LEVEL SERIALIZABLE",
                "COMMIT AND CHAIN",
                "ROLLBACK PREPARED 'x'",
                "COMMIT PREPARED 'x'",
                "SAVEPOINT 'x'",
                "PREPARE TRANSACTION 'x'",
                "SET autocommit = 1, @a = 2",
                "SET TRANSACTION READ ONLY",
                "SET search_path = x",
                "LOCK TABLE t",
                "DO $$ BEGIN DELETE FROM t; END $$",
                "COPY t FROM STDIN",
                "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
                "SELECT * FROM FINAL TABLE (INSERT INTO t VALUES (1))",
                "SELECT * INTO q FROM t",
                "EXPLAIN ANALYZE DELETE FROM t",
                "EXPLAIN (ANALYZE) UPDATE t SET a = 1",
                "INSERT INTO t VALUES (1), (2, 3)",
                "INSERT INTO t",
                "INSERT INTO t EXEC f",
                "INSERT DELAYED INTO t VALUES (1)",
                "INSERT INTO t WITH d AS (DELETE FROM s RETURNING *) SELECT * FROM d",
                "WITH d AS (DELETE FROM s RETURNING *) INSERT INTO t SELECT * FROM d",
                "INSERT INTO t SELECT * FROM FINAL TABLE (INSERT INTO s VALUES (1))",
                "INSERT INTO t VALUES (1) ON CONFLICT (a) DO SOMETHING",
                "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET c.f = 1",
                "INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING trailing",
                "INSERT INTO t DEFAULT VALUES trailing",
                "MERGE INTO t USING (DELETE FROM s RETURNING *) s ON t.a = s.a WHEN MATCHED THEN DELETE",
                "MERGE INTO t USING s ON t.a = s.a",
                "WITH d AS (DELETE FROM s RETURNING *) MERGE INTO t USING d ON t.a = d.a WHEN MATCHED THEN DELETE",
                "INSERT INTO t (a) VALUES (1, 2)",
                "UPDATE t, s SET t.a = 1",
                "UPDATE t SET a = 1 WHERE CURRENT OF c",
                "UPDATE t SET a + 1",
                "UPDATE t PARTITION (p0) SET a = 1",
                "DELETE t FROM t JOIN s ON s.a = t.a",
                "WITH d AS (DELETE FROM s RETURNING *) UPDATE t SET a = 1 FROM d",
                "WITH d AS (DELETE FROM s RETURNING *) DELETE FROM t USING d",
                "UPDATE t SET a = 1 WHERE b = 1 FROM s",
                "DELETE FROM t FETCH FIRST 1 ROW ONLY",
                "SELECT COUNT(*) FROM t FOR UPDATE SKIP LOCKED",
                "SELECT own(a) FROM t LIMIT 1 FOR UPDATE",
                "SELECT * FROM t, (SELECT 1) x FOR UPDATE",
                "SELECT * FROM (t JOIN s ON s.a = t.a) FOR UPDATE",
                "SELECT * FROM t FOR UPDATE OF s",
                "SELECT DISTINCT a FROM t FOR UPDATE",
                "SELECT a FROM t GROUP BY a FOR UPDATE",
                "SELECT * FROM (SELECT * FROM t FOR UPDATE) x",
                "SELECT * FROM t WHERE a IN (SELECT a FROM s FOR UPDATE)",
                "SELECT 1 UNION SELECT 2 FOR UPDATE",
                "UPDATE t SET a = 'unfinished",
                "UPDATE t SET a = (1",
                "UPDATE t SET a = 1 /* unfinished",
                "DELETE FROM t /*! WHERE a = 1 */",
                "UPDATE t SET a = ?1",
                "GRANT SELECT ON t TO x",
                "VACUUM t",
                "nonsense");
    }

    /** They tell of the statements that capture changes, lock rows behind a plain read, or have no place for keys. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '#',
            value = {
                "SET @n = ROW_COUNT() | tell of the statements",
                "SET @n = `found_rows` () | tell of the statements",
                "SELECT ROW_COUNT() | tell of the statements",
                "INSERT INTO audit SELECT ROW_COUNT() | tell of the statements",
                "INSERT INTO audit VALUES (row_count()) | tell of the statements",
                "UPDATE t SET n = ROW_COUNT() WHERE id = 1 | tell of the statements",
                "DELETE FROM t WHERE n = FOUND_ROWS() | tell of the statements",
                "CALL p(ROW_COUNT()) | tell of the statements",
                "SET @v = (SELECT a FROM t WHERE id = 1 FOR UPDATE) | a sub-query locks rows",
                "SET @a = 1, @v = (SELECT a FROM t WHERE id = 1 LOCK IN SHARE MODE) | a sub-query locks rows",
                "SELECT a FROM t WHERE id = 1 FOR UPDATE INTO @v | INTO a variable",
                "SELECT a INTO @v FROM t WHERE id = 1 FOR UPDATE | INTO a variable",
                "SELECT a FROM t WHERE id = 1 INTO @v FOR UPDATE | INTO a variable",
                "SET @txn_noted = 1 | begin with txn_",
                "SET @a = 1, @`TXN_noted` = 1 | begin with txn_",
                "SELECT a FROM t INTO @txn_noted | begin with txn_",
                "SELECT @txn_noted := 1 | begin with txn_",
                "SELECT @'txn_noted' := 1 | begin with txn_",
                "SELECT @\"t\\xn_noted\" := 1 | begin with txn_",
                "UPDATE t SET a = (@txn_rows := 1) WHERE id = 1 | begin with txn_"
            })
    void whatReachesTheStatementsThatCaptureIsRefused(String sql, String reason) {
        assertThat(Planner.plan(sql, SqlSyntax.MYSQL))
                .isInstanceOfSatisfying(Plan.Refused.class, refused -> assertThat(refused.reason())
                        .contains(reason));
    }

    @ParameterizedTest
    @ValueSource(strings = {"SET @n = 1, @`b` = 2", "SELECT a FROM t INTO @v", "SELECT @a := 1, txn_id FROM txn_log"})
    void whatCapturingDoesNotGoByPasses(String sql) {
        assertThat(Planner.plan(sql, SqlSyntax.MYSQL)).isInstanceOf(Plan.Read.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT set_config('search_path', 'x', true)",
                "SELECT \"set_config\"('search_path', 'x', true)",
                "SELECT U&\"set\\005fconfig\"('search_path', 'x', true)",
                "SELECT pg_catalog.set_config('row_security', 'off', true)",
                "SELECT set_config('jit' || substr('x', 2), 'x', true)",
                "SELECT set_config(? || 'x', ?, true)",
                "INSERT INTO t SELECT set_config('role', 'x', true)",
                "INSERT INTO t VALUES (set_config('session_replication_role', 'replica', true))",
                "UPDATE t SET a = pg_catalog.\"set_config\"('standard_conforming_strings', 'off', true) WHERE id = 1",
                "WITH x AS (SELECT set_config('search_path', 'x', true)) DELETE FROM t USING x WHERE t.id = 1"
            })
    void whatChangesWhatNamesMeanIsRefused(String sql) {
        assertThat(plan(sql)).isInstanceOfSatisfying(Plan.Refused.class, refused -> assertThat(refused.reason())
                .contains("set_config"));
        assertThat(Mentions.of(sql, SqlSyntax.POSTGRESQL).writes()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"app.tenant", "lock_timeout", "STATEMENT_TIMEOUT", "TimeZone"})
    void aSettingThatConcernsNobodyElseMayBeSetByAFunction(String name) {
        String sql = "SELECT set_config('" + name + "', ?, true)";
        assertThat(plan(sql)).isInstanceOf(Plan.Read.class);
        assertThat(Mentions.of(sql, SqlSyntax.POSTGRESQL).writes()).isFalse();
    }

    @Test
    void aSettingThatAParameterNamesIsLookedAtWhereThatIsKnown() {
        assertThat(plan("SELECT ?, set_config(?, ?, true), set_config('app.a', 'b', true), set_config(?, ?, false)"))
                .isEqualTo(new Plan.Setting(List.of(2, 4)));
        assertThat(plan("INSERT INTO t SELECT set_config(?, ?, true)")).isInstanceOf(Plan.Refused.class);
        assertThat(Plan.Setting.isHarmless("Lock_Timeout")).isTrue();
        assertThat(Plan.Setting.isHarmless("search_path")).isFalse();
    }

    @Test
    void callsNameTheirRoutineWhereItIsNamedPlainly() {
        assertThat(call("CALL f(?, g(1))")).isEqualTo("f false f(?, g(1))");
        assertThat(call("call s.f")).isEqualTo("s.f false s.f()");
        assertThat(call("{call f}")).isEqualTo("f false f()");
        assertThat(call(" { ? = call f( ? ) } ")).isEqualTo("f true f( ? )");
        assertThat(call("?= CALL f(1);")).isEqualTo("f true f(1)");
        assertThat(call("CALL f(1) + 1")).isEqualTo("null false f(1) + 1");
        assertThat(call("CALL 1 + 1")).isEqualTo("null false 1 + 1");
        assertThat(call("CALL (SELECT 1)")).isEqualTo("null false (SELECT 1)");
    }

    private static String call(String sql) {
        Plan.Call call = (Plan.Call) plan(sql);
        return (call.routine() == null ? "null" : call.routine().written()) + ' ' + call.result() + ' ' + call.body();
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatCannotBeCapturedIsRefusedWithReasonAndRewrite(String sql) {
        assertThat(plan(sql)).isInstanceOfSatisfying(Plan.Refused.class, refused -> {
            assertThat(refused.reason()).isNotBlank();
            assertThat(refused.rewrite()).isNotBlank();
        });
    }

    @ParameterizedTest
    @CsvSource({
        "begin, BEGIN, ''",
        "start transaction;, BEGIN, ''",
        "COMMIT WORK, COMMIT, ''",
        "/* x */ ROLLBACK -- y, ROLLBACK, ''",
        "SAVEPOINT a, SAVEPOINT, a",
        "ROLLBACK TO SAVEPOINT \"A b\", ROLLBACK_TO, A b",
        "rollback to a, ROLLBACK_TO, a",
        "RELEASE SAVEPOINT a, RELEASE, a",
        "SET autocommit=0, AUTO_COMMIT_OFF, ''",
        "SET AUTOCOMMIT TRUE, AUTO_COMMIT_ON, ''"
    })
    void transactionControlIsUnderstoodInItsPlainForms(String sql, Plan.Word word, String name) {
        assertThat(plan(sql)).isEqualTo(new Plan.Control(word, name));
    }

    @Test
    void textsWithSeveralStatementsAreTakenApart() {
        assertThat(SeveralStatements.of(
                                "UPDATE t SET a = ? WHERE b = ';' ; ; DELETE FROM t -- ;\n WHERE c = ?;", SqlSyntax.H2)
                        .pieces())
                .containsExactly(
                        new SeveralStatements.Piece("UPDATE t SET a = ? WHERE b = ';'", 0, 1),
                        new SeveralStatements.Piece("DELETE FROM t -- ;\n WHERE c = ?", 1, 1));
        assertThat(SeveralStatements.of("DELETE FROM t;", SqlSyntax.H2).several())
                .isFalse();
        assertThat(SeveralStatements.of("", SqlSyntax.H2).several()).isFalse();
    }

    @Test
    void literalsAreReadAsTheDatabaseReadsThem() {
        String backslash = "UPDATE t SET a = 'x\\' WHERE b = 1 -- ' WHERE c = 2";
        assertThat(((Plan.Update) Planner.plan(backslash, SqlSyntax.POSTGRESQL))
                        .selection()
                        .where()
                        .text())
                .isEqualTo("b = 1");
        assertThat(Planner.plan("DELETE FROM t WHERE a = 'x\\' AND b = 1 -- '", SqlSyntax.MYSQL))
                .isInstanceOfSatisfying(
                        Plan.Delete.class,
                        d -> assertThat(d.selection().where().text()).isEqualTo("a = 'x\\' AND b = 1 -- '"));
        assertThat(((Plan.Update) Planner.plan("UPDATE t SET a = 5 - -1\n WHERE b = \"it's\"", SqlSyntax.MYSQL))
                        .selection()
                        .where()
                        .text())
                .isEqualTo("b = \"it's\"");
        assertThat(((Plan.Update) plan("UPDATE t SET a = $x$ WHERE ? $x$ WHERE b = ?"))
                        .selection()
                        .where())
                .isEqualTo(new Fragment("b = ?", 0, 1));
        assertThat(((Plan.Delete) plan("DELETE FROM t WHERE a = 1 /* a /* nested */ ? */ AND b = ?"))
                        .selection()
                        .where())
                .isEqualTo(new Fragment("a = 1 /* a /* nested */ ? */ AND b = ?", 0, 1));
        assertThat(((Plan.Delete) Planner.plan("DELETE FROM t WHERE a = 1 # ?\n AND b = ?", SqlSyntax.MYSQL))
                        .selection()
                        .where())
                .isEqualTo(new Fragment("a = 1 # ?\n AND b = ?", 0, 1));
    }

    @Test
    void plansAreKeptUpToTheBound() {
        Plans plans = new Plans(SqlSyntax.H2, 2);
        Plan first = plans.plan("DELETE FROM a");
        assertThat(plans.plan("DELETE FROM a")).isSameAs(first);
        plans.plan("DELETE FROM b");
        plans.plan("DELETE FROM a");
        plans.plan("DELETE FROM c");
        assertThat(plans.plan("DELETE FROM a")).isSameAs(first);
        plans.plan("DELETE FROM b");
        plans.plan("DELETE FROM c");
        assertThat(plans.plan("DELETE FROM a")).isNotSameAs(first);
    }

    @Test
    void plainStatementsSayWhetherTheyMayWriteOrDefine() {
        Plans plans = new Plans(SqlSyntax.POSTGRESQL, 10);
        assertThat(plans.plain("SELECT * FROM t FOR UPDATE")).isEqualTo(new PlainStatement(false, false, null));
        assertThat(plans.plain("WITH x AS (SELECT 1) SELECT 1").writes()).isFalse();
        assertThat(plans.plain("WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM x")
                        .writes())
                .isTrue();
        assertThat(plans.plain("UPDATE t SET a = 1")).isEqualTo(new PlainStatement(true, false, null));
        assertThat(plans.plain("ALTER TABLE t ADD b INT").definesTables()).isTrue();
        assertThat(plans.plain("create local temporary table if not exists \"Tmp\" (a int)"))
                .isEqualTo(new PlainStatement(true, true, "Tmp"));
        assertThat(plans.plain("SELECT 1; DROP TABLE t").definesTables()).isTrue();
        assertThat(plans.plain("'unfinished").writes()).isTrue();
    }
}
