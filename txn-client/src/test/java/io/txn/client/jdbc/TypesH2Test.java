package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import java.util.List;

class TypesH2Test extends TypesContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.H2;
    }

    @Override
    List<Type> types() {
        String text = "CAST(%s AS VARCHAR)";
        String hex = "RAWTOHEX(%s)";
        return List.of(
                Type.of("BOOLEAN", text, "TRUE", "FALSE"),
                Type.of("TINYINT", text, "-128", "127"),
                Type.of("SMALLINT", text, "-32768", "32767"),
                Type.of("INT", text, "-2147483648", "2147483647"),
                Type.of("BIGINT", text, "-9223372036854775808", "9223372036854775807"),
                Type.of("NUMERIC(30, 10)", text, "12345678901234567890.0123456789", "-0.0000000001", "1.5000000000"),
                Type.of("DECFLOAT(20)", text, "1.50", "12345678901234567890", "1E-30", "1E+30"),
                Type.of("REAL", text, "0.1", "3.4028235E38", "CAST('NaN' AS REAL)", "CAST('-Infinity' AS REAL)"),
                Type.of(
                        "DOUBLE PRECISION",
                        text,
                        "CAST(1 AS DOUBLE PRECISION) / 3",
                        "4.9E-324",
                        "1.7976931348623157E308",
                        "CAST('-0.0' AS DOUBLE PRECISION)",
                        "CAST('NaN' AS DOUBLE PRECISION)"),
                Type.of("CHAR(5)", hex, "'ab'", "'  a'", "''"),
                Type.of("VARCHAR(50)", hex, "'a'", "''", "'  pad  '", "'it''s \\ \"'", "'ẞ \ud83d\ude00 \u0000'"),
                Type.of("VARCHAR_IGNORECASE(20)", hex, "'Ab'", "'aB'"),
                Type.of("CLOB", hex, "'text'", "REPEAT('ä\ud83d\ude00', 100000)", "''"),
                Type.of("BINARY(4)", hex, "X'00ff'", "X'01020304'"),
                Type.of("VARBINARY(20)", hex, "X''", "X'00ff00'", "X'C3'"),
                Type.of("BLOB", hex, "X''", "CAST(REPEAT('x', 100000) AS BLOB)", "X'00ff'"),
                Type.of("DATE", text, "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '-0044-03-15'"),
                Type.of("TIME(9)", text, "TIME '23:59:59.999999999'", "TIME '00:00:00'"),
                Type.of(
                        "TIME(3) WITH TIME ZONE",
                        text,
                        "TIME WITH TIME ZONE '10:00:00.5+05:30'",
                        "TIME WITH TIME ZONE '10:00:00Z'"),
                Type.of(
                        "TIMESTAMP(9)",
                        text,
                        "TIMESTAMP '2024-03-31 02:30:00.123456789'",
                        "TIMESTAMP '0001-01-01 00:00:00'"),
                Type.of(
                        "TIMESTAMP(6) WITH TIME ZONE",
                        text,
                        "TIMESTAMP WITH TIME ZONE '2024-03-31 02:30:00.123456+14:00'",
                        "TIMESTAMP WITH TIME ZONE '2024-03-31 02:30:00-12:00'"),
                Type.of("UUID", text, "RANDOM_UUID()", "UUID '00000000-0000-0000-0000-000000000001'"),
                Type.of("ENUM('a', 'B c')", text, "'a'", "'B c'"),
                Type.of("JSON", text, "JSON '{\"a\": [1, 1.0, null, \"\\u00e4\"]}'", "JSON '\"s\"'", "JSON 'null'"));
    }
}
