package io.txn.client.jdbc.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not understood is refused: a text that is taken for less than it does would be undone wrongly. */
class NewRowTriggerTest {

    private static Set<String> plpgsql(String body) {
        return plpgsql(body, "");
    }

    private static Set<String> plpgsql(String body, String condition) {
        Set<Identifier> found = NewRowTrigger.ofPlpgsql(body, condition);
        return found == null ? null : found.stream().map(Identifier::text).collect(Collectors.toSet());
    }

    /** Of a table with the columns {@code a}, {@code b} and the TIMESTAMPs {@code ts}, {@code seen}. */
    private static Set<String> mySql(String body) {
        Set<Identifier> found = NewRowTrigger.ofMySql(body, Map.of("a", false, "b", false, "ts", true, "seen", true));
        return found == null ? null : found.stream().map(Identifier::text).collect(Collectors.toSet());
    }

    @Test
    void whatIsWrittenEverywhereIsUnderstood() {
        assertThat(plpgsql("BEGIN NEW.updated_at = now(); RETURN NEW; END;")).containsExactly("updated_at");
        assertThat(plpgsql("\nbegin\n  -- the time\n  new.\"Updated\" := (now() at time zone 'utc')::timestamp(3);\n"
                        + "  /* the version */ new.version := coalesce(old.version, 0) + 1;\n  return new;\nend"))
                .containsExactlyInAnyOrder("Updated", "version");
        assertThat(plpgsql("BEGIN IF (TG_OP = 'UPDATE') THEN NEW.a = CASE WHEN NEW.b THEN 1 ELSE 2 END; RETURN NEW;"
                        + " ELSIF NEW IS DISTINCT FROM OLD THEN NEW.b := OLD.b; ELSE NULL; END IF; RETURN NEW; END"))
                .containsExactlyInAnyOrder("a", "b");
        assertThat(plpgsql("BEGIN IF ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN NEW.a := clock_timestamp();"
                        + " END IF; RETURN NEW; END"))
                .containsExactly("a");
        assertThat(plpgsql("BEGIN NEW.a := 1; RETURN NEW; END", "((old.b)::text IS DISTINCT FROM (new.b)::text)"))
                .containsExactly("a");
        assertThat(mySql("SET NEW.a = OLD.a + 1")).containsExactly("a");
        assertThat(mySql("SET NEW.a = COALESCE(OLD.a, 0) + 1, NEW.`ts` := NOW(6)"))
                .containsExactlyInAnyOrder("a", "ts");
        assertThat(mySql("BEGIN IF NEW.a <=> OLD.a THEN SET NEW.b = UTC_TIMESTAMP(); ELSE SET NEW.ts = NEW.seen;"
                        + " END IF; END"))
                .containsExactlyInAnyOrder("b", "ts");
    }

    /** A session that undoes has another zone than those of the application. */
    @Test
    void aTimestampGetsMomentsOnlyAndDecidesNothingByItsTime() {
        for (String moment : List.of(
                "NULL",
                "CURRENT_TIMESTAMP",
                "localtime()",
                "SYSDATE(3)",
                "OLD.`Seen`",
                "COALESCE(NEW.ts, NULL, NOW())")) {
            assertThat(mySql("SET NEW.ts = " + moment)).as(moment).containsExactly("ts");
        }
        for (String other : List.of(
                "NEW.a",
                "UTC_TIMESTAMP()",
                "'2026-01-01 00:00:00'",
                "CURDATE()",
                "DATE(NOW())",
                "NOW() + 1",
                "COALESCE(NEW.ts, '2026-01-01')",
                "COALESCE(NEW.ts, NEW.b)",
                "CASE WHEN NEW.a = 1 THEN NOW() ELSE NEW.b END")) {
            assertThat(mySql("SET NEW.ts = " + other)).as(other).isNull();
            assertThat(mySql("SET NEW.a = 1, NEW.ts = " + other)).as(other).isNull();
        }
        String when = "BEGIN IF %s THEN SET NEW.a = 1; END IF; END";
        assertThat(mySql(when.formatted("NEW.ts IS NULL AND OLD.seen IS NOT NULL")))
                .containsExactly("a");
        assertThat(mySql(when.formatted("NEW.ts > '2026-12-01'"))).isNull();
        assertThat(mySql(when.formatted("NEW.`ts` > OLD.b"))).isNull();
        assertThat(mySql(when.formatted("DATE(OLD.ts) = NEW.b"))).isNull();
    }

    /** What is a word of one database is the name of somebody's function on another. */
    @Test
    void eachDatabaseHasItsWords() {
        for (String function : List.of("sysdate()", "curdate()", "utc_timestamp()", "uuid()", "curtime()")) {
            assertThat(plpgsql("BEGIN NEW.a := " + function + "; RETURN NEW; END"))
                    .as(function)
                    .isNull();
        }
        for (String function : List.of(
                "date_trunc(NEW.a)", "timezone(NEW.a)", "clock_timestamp()", "gen_random_uuid()", "text(NEW.a)")) {
            assertThat(mySql("SET NEW.a = " + function)).as(function).isNull();
        }
        assertThat(
                        plpgsql(
                                "BEGIN NEW.a := gen_random_uuid(); NEW.b := date_trunc('day', clock_timestamp()); RETURN NEW; END"))
                .containsExactlyInAnyOrder("a", "b");
        assertThat(mySql("SET NEW.a = UUID(), NEW.b = CAST(NEW.a AS INT)")).containsExactlyInAnyOrder("a", "b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "BEGIN RETURN NEW; END",
                "BEGIN NEW.a := 1; END",
                "BEGIN NEW.a := 1; RETURN OLD; END",
                "BEGIN NEW.a := 1; RETURN NULL; END",
                "BEGIN NEW.a := 1; RETURN NEW; NULL; END",
                "BEGIN NEW.a := 1; IF NEW.b THEN RETURN NULL; END IF; RETURN NEW; END",
                "BEGIN NEW.a := 1; IF NEW.b THEN RETURN NEW; END IF; END",
                "BEGIN NEW.a := 1; RAISE NOTICE 'x'; RETURN NEW; END",
                "BEGIN NEW.a := 1; PERFORM f(); RETURN NEW; END",
                "BEGIN NEW.a := f(); RETURN NEW; END",
                "BEGIN NEW.a := public.now(); RETURN NEW; END",
                "BEGIN NEW.a := \"now\"(); RETURN NEW; END",
                "BEGIN NEW.a := now() OPERATOR(public.+) 1; RETURN NEW; END",
                "BEGIN NEW.a := v; RETURN NEW; END",
                "BEGIN NEW.a := $1; RETURN NEW; END",
                "BEGIN NEW.a := TG_ARGV[0]; RETURN NEW; END",
                "BEGIN NEW.a := (SELECT max(a) FROM t); RETURN NEW; END",
                "BEGIN NEW.a := a FROM t WHERE id = NEW.id; RETURN NEW; END",
                "BEGIN NEW.a := coalesce(text) FROM text; RETURN NEW; END",
                "BEGIN SELECT 1 INTO NEW.a; RETURN NEW; END",
                "BEGIN NEW := OLD; RETURN NEW; END",
                "BEGIN NEW.a.b := 1; RETURN NEW; END",
                "BEGIN NEW.a[1] := 1; RETURN NEW; END",
                "BEGIN OLD.a := 1; RETURN NEW; END",
                "BEGIN NEW.a := current_setting('app.user'); RETURN NEW; END",
                "BEGIN NEW.a := nextval('s'); RETURN NEW; END",
                "BEGIN NEW.a := NEW.f(1); RETURN NEW; END",
                "BEGIN NEW.a := E'\\''; RETURN NEW; END",
                "BEGIN NEW.a := U&\"n\"(); RETURN NEW; END",
                "DECLARE x int; BEGIN NEW.a := 1; RETURN NEW; END",
                "<<l>> BEGIN NEW.a := 1; RETURN NEW; END",
                "BEGIN NEW.a := 1; RETURN NEW; EXCEPTION WHEN OTHERS THEN RETURN NEW; END",
                "BEGIN NEW.a := 1; RETURN NEW; END; DELETE FROM t",
                "BEGIN IF CASE WHEN NEW.b THEN NEW.c ELSE NEW.d END THEN NEW.a := 1; END IF; RETURN NEW; END"
            })
    void whatMayDoMoreIsNotUnderstood(String body) {
        assertThat(plpgsql(body)).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SET NEW.a = 1, @b = 2",
                "SET NEW.a = 1, b = 2",
                "SET NEW.a = 1, sql_mode = ''",
                "SET @a = 1",
                "SET NEW.a = @a := 1",
                "SET NEW.a = (SELECT MAX(a) FROM t)",
                "SET NEW.a = f(1)",
                "SET NEW.a = NEW.generated",
                "SET NEW.a = NEW.*",
                "SET NEW.a = \"x\"",
                "SET NEW.a = 'x\\'",
                "SET NEW.a = 1; DELETE FROM t",
                "BEGIN SET NEW.a = 1; DELETE FROM t; END",
                "BEGIN SET NEW.a = 1; SIGNAL SQLSTATE '45000'; END",
                "BEGIN DECLARE v INT; SET NEW.a = 1; END",
                "BEGIN IF NEW.a > NOW() THEN SET NEW.a = 1; END IF; END",
                "BEGIN SET NEW.a = 1; /*!50000 DELETE FROM t; */ END",
                "INSERT INTO t VALUES (1)",
                "SET NEW.a = SLEEP(1)"
            })
    void whatMayDoMoreIsNotUnderstoodOfMySql(String body) {
        assertThat(mySql(body)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"f()", "(public.f(new.a))", "current_setting('app.on') = 'x'", "(new.a ~ 'x')"})
    void aConditionThatMayDoMoreIsNotUnderstood(String condition) {
        assertThat(plpgsql("BEGIN NEW.a := 1; RETURN NEW; END", condition)).isNull();
    }
}
