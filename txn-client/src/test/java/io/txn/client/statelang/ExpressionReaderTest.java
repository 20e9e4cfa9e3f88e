package io.txn.client.statelang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.client.action.Json;
import java.util.LinkedHashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The expressions of state machines: what they mean, and what is refused with what may be written instead. */
class ExpressionReaderTest {

    private static final String ROOT =
            "{\"a\":1,\"b\":2.50,\"name\":\"x\",\"yes\":true,\"no\":false,\"nothing\":null,\"list\":[{\"k\":7},8],\"empty\":[],\"deep\":{\"of\":{\"it\":\"z\"}}}";

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "[a] ~ 1",
                "[a] == 1 ~ true",
                "[a] == 2 ~ false",
                "[a] == 1.0 ~ true",
                "[a] == '1' ~ false",
                "[missing] ~ null",
                "[missing] == null ~ true",
                "['a'] + 1 ~ 2",
                "[a]-2 ~ -1",
                "7 / 2 ~ 3",
                "7.0 / 2 ~ 3.5",
                "7 % 4 ~ 3",
                "2147483647 + 1 ~ 2147483648",
                "1 + 2 * 3 ~ 7",
                "(1 + 2) * 3 ~ 9",
                "-[a] + 3 ~ 2",
                "[b] > [a] && [a] <= 1 ~ true",
                "[yes] ~ true",
                "![yes] || [no] ~ false",
                "[nothing] and [yes] ~ false",
                "not [no] ~ true",
                "[a] eq 1 or [a] gt 3 ~ true",
                "[list][0].k ~ 7",
                "[list][0]['k'] ~ 7",
                "[list][1] ~ 8",
                "[list].size() ~ 2",
                "[empty].isEmpty() ~ true",
                "[name].length() ~ 1",
                "[name] + '-' + [a] ~ \"x-1\"",
                "'it''s' ~ \"it's\"",
                "[deep].of.it ~ \"z\"",
                "[deep].of?.it ~ \"z\"",
                "[nothing]?.it ~ null",
                "#root.name == 'x' ~ true",
                "#root.size() ~ 9",
                "name < 'y' ~ true",
                "[a] == 3 || [a] == 1 ~ true",
                "[no] && [name].size() > [never].size() ~ false"
            })
    void anExpressionMeansWhatItMeansToSpring(String text, String expected) throws Exception {
        assertThat(Json.write(ExpressionReader.read(text).on(Json.readAny(ROOT))))
                .isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "[nothing].it ~ there is no it of null",
                "[deep].other ~ there is no property other",
                "[list][2] ~ there is no element 2 in a list of 2",
                "[a].size() ~ there is no size of a number",
                "[a] && true ~ a number is neither true nor false",
                "[name] < 1 ~ a text and a number have no order",
                "[name] - 1 ~ nothing is computed of a text and a number",
                "1 / 0 ~ nothing is divided by 0",
                "'' + [list] ~ no text is made of a list"
            })
    void whatHasNoValueIsAFailureAndNeverANull(String text, String problem) throws Exception {
        Expression expression = ExpressionReader.read(text);
        Object root = Json.readAny(ROOT);
        assertThatThrownBy(() -> expression.on(root))
                .isInstanceOf(Expression.FailedException.class)
                .hasMessage(problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "T(java.lang.Runtime).getRuntime() ~ 1 ~ types are not looked up ~ a service",
                "new java.io.File('x') ~ 1 ~ nothing is made ~ JSON of Input",
                "@bank.pay() ~ 1 ~ beans are not looked up ~ a ServiceTask",
                "[a].toString() ~ 5 ~ the method toString is not called ~ size()",
                "#root.getClass() ~ 7 ~ the method getClass is not called ~ size()",
                "#this[x] ~ 1 ~ no variable #this ~ [this]",
                "[a] == 1 ? 2 : 3 ~ 10 ~ conditions ~ a Choice",
                "[a] = 2 ~ 5 ~ nothing is assigned ~ ==",
                "[list].?[#this[k] == 1].size() ~ 8 ~ nothing is selected ~ a service",
                "{1,2} ~ 1 ~ lists and maps are not written ~ [..]",
                "[name] matches 'x' ~ 8 ~ the word matches is not read ~ ==",
                "[a ~ 3 ~ ']' is missing ~ [name]",
                "[] ~ 2 ~ an index is a name or a number ~ [name]",
                "(1 ~ 3 ~ ')' is missing ~ ( … )",
                "'open ~ 1 ~ a text does not end ~ 'text'",
                "[a] == ~ 7 ~ a value is missing ~ #root",
                "1..2 ~ 1 ~ no number ~ 1.5",
                "[a] & 1 ~ 5 ~ '&' is not read ~ &&",
                "size() ~ 1 ~ the method size is not called ~ a ServiceTask",
                "1 < 2 < 3 ~ 7 ~ '<' is not read ~ =="
            })
    void whatIsOutsideIsRefusedAtItsPlaceWithWhatMayStandThere(
            String text, int column, String problem, String instead) {
        ExpressionReader.UnreadException refused =
                catchThrowableOfType(ExpressionReader.UnreadException.class, () -> ExpressionReader.read(text));
        assertThat(refused).as(text).isNotNull().hasMessageContaining(problem);
        assertThat(refused.instead()).contains(instead);
        assertThat(refused.column()).as(refused.getMessage()).isEqualTo(column);
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "!", "-", "[a]+", "[a].b", "not ", "[a] or "})
    void depthAndLengthAreBounded(String repeated) {
        String text = repeated.repeat(120);
        assertThatThrownBy(() -> ExpressionReader.read(text.substring(0, text.length() / 2) + "1"))
                .isInstanceOf(ExpressionReader.UnreadException.class);
        assertThatThrownBy(() -> ExpressionReader.read("1 ".repeat(600)))
                .isInstanceOf(ExpressionReader.UnreadException.class)
                .hasMessageContaining("longer than 1000 characters");
    }

    @Test
    void anyTextIsReadOrRefusedAndHasAValueOrNone() throws Exception {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        String[] parts = {
            "[a]",
            "[list]",
            "#root",
            "name",
            ".",
            "?.",
            "(",
            ")",
            "[",
            "]",
            "'",
            "\"x\"",
            "0",
            "1.5",
            "==",
            "<",
            "&&",
            "||",
            "!",
            "-",
            "+",
            "*",
            "/",
            "%",
            "not ",
            " and ",
            "size()",
            ".isEmpty()",
            "null",
            "true",
            "T(",
            "new ",
            "@b",
            "{",
            "?",
            ":",
            "\u0000",
            "\uD800",
            "9999999999999999999",
            "$",
            "=",
            "#x"
        };
        Random random = new Random(seed);
        Object root = Json.readAny(ROOT);
        int read = 0;
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(9); n >= 0; n--) {
                text.append(parts[random.nextInt(parts.length)]);
            }
            try {
                ExpressionReader.read(text.toString()).on(root);
                read++;
            } catch (ExpressionReader.UnreadException | Expression.FailedException e) {
                assertThat(e.getMessage()).isNotBlank();
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("txn.test.seed=" + seed + " text=" + text, e);
            }
        }
        assertThat(read).as("txn.test.seed=" + seed).isPositive();
    }

    @Test
    void theVariablesOfAnExpressionAreKnown() throws Exception {
        Set<String> used = new LinkedHashSet<>();
        assertThat(ExpressionReader.read("[a].b == 'x' && [c][0] + d > 1").variables(used))
                .isTrue();
        assertThat(used).containsExactlyInAnyOrder("a", "c", "d");
        assertThat(ExpressionReader.read("#root.size() > 1").variables(new LinkedHashSet<>()))
                .isFalse();
        assertThat(ExpressionReader.read("#root[a] > 1").variables(used)).isTrue();
    }
}
