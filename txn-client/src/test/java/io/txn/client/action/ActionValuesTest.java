package io.txn.client.action;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ActionValuesTest {

    record Money(BigDecimal amount, String currency) {
        Money {
            if (currency.length() != 3) {
                throw new IllegalArgumentException("no currency");
            }
        }
    }

    record Line(String sku, int pieces, Money price) {}

    record Order(UUID id, List<Line> lines, Map<String, Long> points, Optional<Instant> due, DayOfWeek day) {}

    record Node(List<Node> children) {}

    @SuppressWarnings("unused")
    void everything(
            String text,
            boolean yes,
            byte b,
            short s,
            int i,
            long l,
            float f,
            double d,
            char c,
            Long maybe,
            BigDecimal decimal,
            BigInteger integer,
            UUID uuid,
            Instant instant,
            LocalDate date,
            LocalTime time,
            LocalDateTime dateTime,
            OffsetDateTime offset,
            OffsetTime offsetTime,
            ZonedDateTime zoned,
            Duration duration,
            Period period,
            Year year,
            YearMonth month,
            DayOfWeek day,
            byte[] bytes,
            List<String> list,
            Set<Integer> set,
            Map<String, List<BigDecimal>> map,
            Optional<String> optional,
            Order order) {}

    private static List<Action.Captured> captured(Type... types) {
        List<Action.Captured> captured = new ArrayList<>();
        for (Type type : types) {
            captured.add(new Action.Captured("p" + captured.size(), type));
        }
        return captured;
    }

    private static Type[] typesOf(String method) {
        for (Method one : ActionValuesTest.class.getDeclaredMethods()) {
            if (one.getName().equals(method)) {
                return one.getGenericParameterTypes();
            }
        }
        throw new AssertionError(method);
    }

    private static Type typeOf(int parameter) {
        return typesOf("everything")[parameter];
    }

    private static ActionValues of(Type... types) {
        return new ActionValues("buy", captured(types), null);
    }

    private static Order order() {
        return new Order(
                UUID.fromString("00000000-0000-0001-0000-000000000002"),
                List.of(new Line("a", 2, new Money(new BigDecimal("1.50"), "EUR"))),
                new LinkedHashMap<>(Map.of("gold", Long.MAX_VALUE)),
                Optional.of(Instant.parse("2026-01-02T03:04:05.000000006Z")),
                DayOfWeek.FRIDAY);
    }

    @Test
    void everyTypeComesBackAsItWas() {
        List<Object> values = new ArrayList<>(Arrays.asList(
                "ä€𝄞 \"\\\n\u0000\u2028 \ud800 half",
                true,
                Byte.MIN_VALUE,
                Short.MIN_VALUE,
                Integer.MIN_VALUE,
                Long.MIN_VALUE,
                Float.MIN_VALUE,
                -0.0,
                '\udfff',
                null,
                new BigDecimal("1.500"),
                BigInteger.TWO.pow(200).negate(),
                UUID.fromString("00000000-0000-0001-0000-000000000002"),
                Instant.MAX,
                LocalDate.MIN,
                LocalTime.MAX,
                LocalDateTime.of(2026, 2, 28, 23, 59, 59, 999_999_999),
                OffsetDateTime.of(2026, 1, 1, 0, 0, 0, 1, ZoneOffset.ofHours(-3)),
                OffsetTime.of(1, 2, 3, 4, ZoneOffset.UTC),
                ZonedDateTime.of(2026, 10, 25, 2, 30, 0, 0, ZoneId.of("Europe/Berlin")),
                Duration.ofSeconds(-1, 5),
                Period.of(1, -2, 3),
                Year.of(-4),
                YearMonth.of(2026, 12),
                DayOfWeek.SUNDAY,
                new byte[] {0, -1, 127},
                Arrays.asList("x", null, ""),
                new LinkedHashSet<>(List.of(3, 1, 2)),
                Map.of("", List.of(new BigDecimal("1E+5"))),
                Optional.empty(),
                order()));
        ActionValues encoding = of(typesOf("everything"));
        String text = encoding.encode(values, null);
        List<Object> back = encoding.decode(text);
        assertThat(back.get(25)).isEqualTo(values.get(25));
        values.set(25, null);
        back.set(25, null);
        assertThat(back).isEqualTo(values);
        assertThat(Double.doubleToRawLongBits((Double) back.get(7))).isEqualTo(Double.doubleToRawLongBits(-0.0));
        assertThat(text.chars().allMatch(c -> c >= ' ' && c != 0x2028)).isTrue();
    }

    @Test
    void theTextIsWrittenDown() {
        ActionValues encoding = new ActionValues(
                "order/freeze",
                List.of(
                        new Action.Captured("id", long.class),
                        new Action.Captured("amount", BigDecimal.class),
                        new Action.Captured("pieces", int.class),
                        new Action.Captured("order", Order.class)),
                String.class);
        // Branches of an earlier version are open while a new one is rolled out: this text cannot change without a new
        // version.
        String text =
                "{\"v\":1,\"action\":\"order/freeze\",\"args\":{\"id\":\"9007199254740993\",\"amount\":\"12.50\",\"pieces\":3,\"order\":{"
                        + "\"id\":\"00000000-0000-0001-0000-000000000002\",\"lines\":[{\"sku\":\"a\",\"pieces\":2,\"price\":{\"amount\":\"1.50\","
                        + "\"currency\":\"EUR\"}}],\"points\":{\"gold\":\"9223372036854775807\"},\"due\":[\"2026-01-02T03:04:05.000000006Z\"],"
                        + "\"day\":\"FRIDAY\"}}}";
        List<Object> values = List.of(9007199254740993L, new BigDecimal("12.50"), 3, order());
        assertThat(encoding.encode(values, null)).isEqualTo(text);
        assertThat(encoding.decode(text)).isEqualTo(values);
        assertThat(encoding.encodeResult("done"))
                .isEqualTo("{\"v\":1,\"action\":\"order/freeze\",\"result\":\"done\"}");
        assertThat(encoding.decodeResult(encoding.encodeWithResult(values, "done")))
                .isEqualTo("done");
        assertThat(encoding.decode(encoding.encodeWithResult(values, "done"))).isEqualTo(values);
        assertThat(encoding.decodeResult(null)).isNull();
        assertThat(encoding.decodeResult(encoding.encodeResult(null))).isNull();
    }

    @Test
    void aTypeOutsideTheClosedSetIsRefusedWhenItIsDeclared() {
        for (Type type : List.of(
                Object.class,
                Number.class,
                java.util.Date.class,
                Node.class,
                int[].class,
                Thread.class,
                List.class,
                ArrayList.class,
                Class.class,
                void.class)) {
            TxnException refused = catchThrowableOfType(TxnException.class, () -> of(type));
            assertThat(refused).as("%s", type).isNotNull();
            assertThat(refused.code()).isEqualTo(ErrorCode.ACTION_VALUES_UNFIT);
        }
        TxnException twice = catchThrowableOfType(
                TxnException.class,
                () -> new ActionValues(
                        "a", List.of(new Action.Captured("x", int.class), new Action.Captured("x", int.class)), null));
        assertThat(twice.code()).isEqualTo(ErrorCode.ACTION_MISDECLARED);
    }

    @Test
    void aValueOfAnotherTypeThanTheDeclaredOneIsRefused() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        List<String> polluted = (List) List.of(1);
        TxnException refused =
                catchThrowableOfType(TxnException.class, () -> of(typeOf(26)).encode(List.of(polluted), null));
        assertThat(refused.code()).isEqualTo(ErrorCode.ACTION_VALUES_UNFIT);
        BigDecimal disguised = new BigDecimal("1") {
            private static final long serialVersionUID = 1L;

            @Override
            public String toString() {
                return "2";
            }
        };
        assertThat(catchThrowableOfType(
                                TxnException.class, () -> of(BigDecimal.class).encode(List.of(disguised), null))
                        .code())
                .isEqualTo(ErrorCode.ACTION_VALUES_UNFIT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "null",
                "{}",
                "[]",
                "{\"v\":2,\"action\":\"buy\",\"args\":{\"p0\":1}}",
                "{\"v\":1,\"action\":\"sell\",\"args\":{\"p0\":1}}",
                "{\"v\":1,\"action\":\"buy\"}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":1,\"p1\":2}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":null}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":\"1\"}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":2147483648}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":1.0}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":01}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":1,\"p0\":1}}",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":1}} x",
                "{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":1}"
            })
    void whatDoesNotFitExactlyIsNotRead(String text) {
        TxnException refused =
                catchThrowableOfType(TxnException.class, () -> of(int.class).decode(text));
        assertThat(refused).as(text).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.ACTION_VALUES_UNREADABLE);
        assertThat(refused.code().category()).isEqualTo(ErrorCode.Category.RETRY);
    }

    @Test
    void aRecordThatRefusesWhatWasKeptAndOneThatChangedAreNotRead() {
        String known = of(Money.class).encode(List.of(new Money(BigDecimal.ONE, "EUR")), null);
        for (String text : List.of(
                known.replace("EUR", "EURO"),
                known.replace("\"currency\"", "\"unit\""),
                known.replace("\"currency\"", "\"x\":1,\"currency\""),
                known.replace("\"1\"", "\"one\""))) {
            assertThat(catchThrowableOfType(
                                    TxnException.class, () -> of(Money.class).decode(text))
                            .code())
                    .as(text)
                    .isEqualTo(ErrorCode.ACTION_VALUES_UNREADABLE);
        }
        assertThat(catchThrowableOfType(TxnException.class, () -> of(DayOfWeek.class)
                                .decode("{\"v\":1,\"action\":\"buy\",\"args\":{\"p0\":\"CLOSED\"}}"))
                        .code())
                .isEqualTo(ErrorCode.ACTION_VALUES_UNREADABLE);
    }

    @Test
    void deepAndRandomTextEndsInAnErrorAndNothingElse() {
        long seed = Long.getLong("txn.test.seed", System.nanoTime());
        System.out.println("ActionValuesTest: -Dtxn.test.seed=" + seed);
        Random random = new Random(seed);
        ActionValues encoding = of(Order.class);
        String good = encoding.encode(List.of(order()), null);
        List<String> texts = new ArrayList<>(List.of("[".repeat(100_000), "{\"v\":".repeat(100_000)));
        for (int i = 0; i < 5_000; i++) {
            StringBuilder bad = new StringBuilder(good);
            for (int changes = random.nextInt(3); changes >= 0; changes--) {
                int at = random.nextInt(bad.length());
                if (random.nextBoolean()) {
                    bad.setCharAt(at, "{}[]\",:\\u0019-tfn ".charAt(random.nextInt(18)));
                } else {
                    bad.deleteCharAt(at);
                }
            }
            texts.add(bad.toString());
        }
        for (String text : texts) {
            try {
                assertThat(encoding.decode(text)).hasSize(1);
            } catch (TxnException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.ACTION_VALUES_UNREADABLE);
            }
        }
    }
}
