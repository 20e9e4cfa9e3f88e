package io.txn.client.jdbc;

import io.txn.test.DatabaseKind;
import java.util.List;

class TypesMariaDbIT extends TypesContract {

    @Override
    DatabaseKind kind() {
        return DatabaseKind.MARIADB;
    }

    @Override
    List<Type> types() {
        String text = "CAST(%s AS CHAR)";
        String hex = "HEX(%s)";
        String binary = "HEX(CAST(%s AS BINARY))";
        return List.of(
                Type.of("BOOLEAN", text, "TRUE", "FALSE", "5"),
                Type.of("TINYINT", text, "-128", "127"),
                Type.of("TINYINT UNSIGNED", text, "255", "0"),
                Type.of("SMALLINT", text, "-32768", "32767"),
                Type.of("MEDIUMINT UNSIGNED", text, "16777215", "0"),
                Type.of("INT", text, "-2147483648", "2147483647"),
                Type.of("INT(8) ZEROFILL", text, "42", "4294967295"),
                Type.of("BIGINT", text, "-9223372036854775808", "9223372036854775807"),
                Type.of("BIGINT UNSIGNED", text, "18446744073709551615", "9007199254740993", "0"),
                Type.of("DECIMAL(30, 10)", text, "12345678901234567890.0123456789", "-0.0000000001", "1.5"),
                Type.of("DECIMAL(5, 0) UNSIGNED", text, "99999", "0"),
                Type.of(
                        "FLOAT",
                        "CAST(%s * 1e0 AS CHAR)",
                        "0.1",
                        "16777216",
                        "3.4028234663852886e38",
                        "1.17549435e-38",
                        "-0e0"),
                Type.of("FLOAT(7,2)", "CAST(%s * 1e0 AS CHAR)", "1.257", "99999.99"),
                Type.of(
                        "DOUBLE",
                        "CAST(%s * 1e0 AS CHAR)",
                        "1e0 / 3",
                        "1.7976931348623157e308",
                        "2.2250738585072014e-308",
                        "-0e0"),
                Type.of("BIT(1)", "BIN(%s)", "b'1'", "b'0'"),
                Type.of(
                        "BIT(64)",
                        "BIN(%s)",
                        "b'1111111111111111111111111111111111111111111111111111111111111111'",
                        "b'0'",
                        "b'10'"),
                Type.of("CHAR(5)", binary, "'ab'", "'  a'", "''"),
                Type.of("VARCHAR(50)", binary, "'a'", "''", "'  pad  '", "'it''s \\\\ \"'", "'ẞ \ud83d\ude00'"),
                Type.of("VARCHAR(20) CHARACTER SET latin1", binary, "'é ÿ'", "'a'"),
                Type.of("VARCHAR(20) CHARACTER SET gbk", binary, "'中文'", "'a'"),
                Type.of("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", binary, "'Ab'", "'aB '"),
                Type.of("VARCHAR(20) CHARACTER SET ucs2", binary, "'ä'", "'b'"),
                Type.of("TINYTEXT", binary, "'t'", "''"),
                Type.of("TEXT", binary, "'text'", "REPEAT('ä', 30000)"),
                Type.of("LONGTEXT", "CONCAT(MD5(%s), LENGTH(%s))", "REPEAT('ä\ud83d\ude00', 200000)", "'x'"),
                Type.of("BINARY(4)", hex, "X'00ff'", "X'01020304'"),
                Type.of("VARBINARY(20)", hex, "X''", "X'00ff00'", "X'27225c'"),
                Type.of("BLOB", hex, "X''", "REPEAT(X'00FF', 20000)"),
                Type.of("LONGBLOB", "CONCAT(MD5(%s), LENGTH(%s))", "REPEAT(X'00FF27', 300000)", "X'00'"),
                Type.of("ENUM('a', 'B c', 'ö')", binary, "'a'", "'B c'", "'ö'"),
                Type.of("SET('p', 'q', 'r s')", binary, "'p,r s'", "''", "'q'"),
                Type.of("JSON", binary, "'{\"b\": 1.0,  \"a\": [null, \"\\u00e4\"]}'", "'null'"),
                Type.of("DATE", text, "'1000-01-01'", "'9999-12-31'"),
                Type.of("TIME(6)", text, "'-838:59:59.999999'", "'838:59:59'", "'00:00:00.000001'"),
                Type.of("DATETIME(6)", text, "'1000-01-01 00:00:00.000001'", "'2024-03-31 02:30:00.123456'"),
                Type.of("DATETIME", text, "'2024-03-31 02:30:00'"),
                Type.of(
                        "TIMESTAMP(6) NULL",
                        "CAST(UNIX_TIMESTAMP(%s) AS CHAR)",
                        "FROM_UNIXTIME(1729989000.123456)",
                        "FROM_UNIXTIME(1729992600.123456)",
                        "FROM_UNIXTIME(2147483647)"),
                Type.of(
                        "TIMESTAMP NULL",
                        "CAST(UNIX_TIMESTAMP(%s) AS CHAR)",
                        "FROM_UNIXTIME(1)",
                        "FROM_UNIXTIME(1729989000)"),
                Type.of("YEAR", text, "2155", "1901", "0"),
                Type.of("UUID", text, "UUID()", "'00000000-0000-0000-0000-000000000001'"),
                Type.of("INET4", text, "'10.0.0.1'"),
                Type.of("INET6", text, "'::1'", "'2001:db8::ff00:42:8329'"));
    }
}
