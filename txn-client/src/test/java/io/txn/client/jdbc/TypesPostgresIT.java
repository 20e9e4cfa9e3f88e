package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;

class TypesPostgresIT extends TypesContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.POSTGRESQL;
    }

    @BeforeEach
    void ownTypes() {
        behindTheBack(
                "CREATE TYPE mood AS ENUM ('sad', 'so so')",
                "CREATE DOMAIN percent AS NUMERIC(5, 2) CHECK (VALUE <= 100)",
                "CREATE DOMAIN ratio AS DOUBLE PRECISION",
                "CREATE TYPE pair AS (a INT, b TEXT)");
    }

    @Override
    List<Type> types() {
        String text = "%s::text";
        return List.of(
                Type.of("BOOLEAN", text, "true", "false"),
                Type.of("SMALLINT", text, "-32768", "32767"),
                Type.of("INT", text, "-2147483648", "2147483647"),
                Type.of("BIGINT", text, "-9223372036854775808", "9223372036854775807"),
                Type.of("NUMERIC", text, "'NaN'", "'Infinity'", "1.50", "1e-400", "123456789012345678901234567890.5"),
                Type.of("NUMERIC(10, 3)", text, "1.500", "-0.001"),
                Type.of("REAL", "encode(float4send(%s), 'hex')", "0.1", "'NaN'", "'-Infinity'", "'-0'", "1e-45"),
                Type.of(
                        "DOUBLE PRECISION",
                        "encode(float8send(%s), 'hex')",
                        "1::float8 / 3",
                        "'4.9e-324'",
                        "'1.7976931348623157e308'",
                        "'-0'",
                        "'NaN'",
                        "'Infinity'"),
                Type.of("ratio", "encode(float8send(%s), 'hex')", "1::float8 / 3", "'-0'"),
                Type.of("CHAR(5)", "encode(textsend('[' || rpad(%s, 5, ' ') || ']'), 'hex')", "'ab'", "'  a'", "''"),
                Type.of(
                        "VARCHAR(50)",
                        "encode(%s::text::bytea, 'hex')",
                        "'a'",
                        "''",
                        "'  pad  '",
                        "'it''s \"'",
                        "'ẞ \ud83d\ude00'"),
                Type.of("TEXT", "md5(%s) || length(%s)", "'x'", "repeat('ä\ud83d\ude00', 200000)", "''"),
                Type.of("BYTEA", "encode(%s, 'hex')", "'\\x'", "'\\x00ff00'", "decode(repeat('00ff', 1000), 'hex')"),
                Type.of("DATE", text, "'0001-01-01'", "'infinity'", "'0044-03-15 BC'", "'5874897-12-31'"),
                Type.of("TIME", text, "'23:59:59.999999'", "'24:00:00'"),
                Type.of("TIMETZ", text, "'10:00:00.5+05:30'", "'10:00:00-12'"),
                Type.of("TIMESTAMP", text, "'2024-03-31 02:30:00.123456'", "'-infinity'", "'0044-03-15 10:00 BC'"),
                Type.of(
                        "TIMESTAMPTZ",
                        "extract(epoch from %s)::text",
                        "'2024-10-27 02:30:00.123456+02'",
                        "'2024-10-27 02:30:00.123456+01'",
                        "'infinity'"),
                Type.of("INTERVAL", text, "'1 year -2 mons 3 days 04:05:06.789'", "'-1 day'", "'0'"),
                Type.of("UUID", text, "gen_random_uuid()", "'00000000-0000-0000-0000-000000000001'"),
                Type.of("JSON", text, "'{\"b\": 1.0,  \"a\": [null, \"\\u00e4\"], \"b\": 2}'", "'null'"),
                Type.of("JSONB", text, "'{\"b\": 1.0, \"a\": [null, \"\\u00e4\"]}'", "'\"s\"'"),
                Type.of("BIT(5)", text, "B'10101'", "B'00000'"),
                Type.of("BIT VARYING(9)", text, "B'1'", "B''"),
                Type.of("INT[]", text, "'{1,NULL,3}'", "'{}'", "'[0:1]={5,6}'"),
                Type.of("TEXT[]", text, "'{\"a,b\",\"\\\"\",NULL,\"NULL\",\"\"}'", "'{{a,b},{c,d}}'"),
                Type.of("INT4RANGE", text, "'[1,5)'", "'empty'", "'(,)'"),
                Type.of("INET", text, "'10.0.0.1/8'", "'::1'"),
                Type.of("CIDR", text, "'10.0.0.0/8'"),
                Type.of("MACADDR", text, "'08:00:2b:01:02:03'"),
                Type.of("POINT", text, "'(0.1,-2)'", "'(1e300,3)'"),
                Type.of("TSVECTOR", text, "'fat cat'::tsvector"),
                Type.of("XML", text, "'<a b=\"c\">d</a>'"),
                Type.of("MONEY", text, "'1234.56'"),
                Type.of("mood", text, "'sad'", "'so so'"),
                Type.of("percent", text, "99.50", "-1"),
                Type.of("pair", text, "ROW(1, 'x,\"y')", "ROW(NULL, '')"),
                Type.of("\"char\"", text, "'x'"),
                Type.of("OID", text, "4294967295"));
    }
}
