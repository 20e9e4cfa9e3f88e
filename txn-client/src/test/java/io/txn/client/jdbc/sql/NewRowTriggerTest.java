package io.txn.client.jdbc.sql;

import static org.assertj.core.api.Assertions.assertThat;

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

    private static Map<String, Boolean> mySql(String body) {
        Map<Identifier, Boolean> found =
                NewRowTrigger.ofMySql(body, name -> name.text().equals("seen"));
        return found == null
                ? null
                : found.entrySet().stream()
                        .collect(Collectors.toMap(e -> e.getKey().text(), Map.Entry::getValue));
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
        assertThat(mySql("SET NEW.a = OLD.a + 1")).containsEntry("a", false).hasSize(1);
        assertThat(mySql("SET NEW.a = COALESCE(OLD.a, 0) + 1, NEW.`b` := NOW(6)"))
                .containsEntry("a", false)
                .containsEntry("b", true);
        assertThat(mySql("BEGIN IF NEW.a <=> OLD.a THEN SET NEW.b = UTC_TIMESTAMP(); ELSE SET NEW.c = NEW.seen;"
                        + " END IF; END"))
                .containsEntry("b", false)
                .containsEntry("c", true);
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
