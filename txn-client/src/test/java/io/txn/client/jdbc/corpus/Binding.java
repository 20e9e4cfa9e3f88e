package io.txn.client.jdbc.corpus;

import java.io.ByteArrayInputStream;
import java.io.StringReader;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;

/**
 * A parameter as a case file writes it: {@code 5}, {@code 1.50}, {@code 'it''s'}, {@code true}, {@code x'00ff'} and {@code null} are set by
 * {@code setObject}; a word before says by which setter otherwise.
 */
record Binding(String setter, String value) {

    /** The comma-separated parameters of one execution. */
    static List<Binding> listOf(String text) {
        List<Binding> all = new ArrayList<>();
        StringBuilder one = new StringBuilder();
        boolean quoted = false;
        for (char c : text.toCharArray()) {
            quoted ^= c == '\'';
            if (c == ',' && !quoted) {
                all.add(of(one.toString()));
                one.setLength(0);
            } else {
                one.append(c);
            }
        }
        all.add(of(one.toString()));
        return all;
    }

    static Binding of(String text) {
        String trimmed = text.trim();
        int quote = trimmed.indexOf('\'');
        int blank = trimmed.indexOf(' ');
        if (blank > 0 && (quote < 0 || blank < quote)) {
            return new Binding(
                    trimmed.substring(0, blank), trimmed.substring(blank + 1).trim());
        }
        return new Binding("object", trimmed);
    }

    void set(PreparedStatement statement, int index) throws SQLException {
        switch (setter) {
            case "object" -> statement.setObject(index, plain());
            case "int" -> statement.setInt(index, Integer.parseInt(value));
            case "long" -> statement.setLong(index, Long.parseLong(value));
            case "short" -> statement.setShort(index, Short.parseShort(value));
            case "byte" -> statement.setByte(index, Byte.parseByte(value));
            case "boolean" -> statement.setBoolean(index, Boolean.parseBoolean(value));
            case "float" -> statement.setFloat(index, Float.parseFloat(value));
            case "double" -> statement.setDouble(index, Double.parseDouble(value));
            case "decimal" -> statement.setBigDecimal(index, new BigDecimal(value));
            case "string" -> statement.setString(index, text());
            case "nstring" -> statement.setNString(index, text());
            case "bytes" -> statement.setBytes(index, bytes());
            case "null" -> statement.setNull(index, type(value));
            case "characters" -> statement.setCharacterStream(index, new StringReader(text()));
            case "characters-sized" -> statement.setCharacterStream(index, new StringReader(text()), text().length());
            case "clob" -> statement.setClob(index, new StringReader(text()));
            case "binary" -> statement.setBinaryStream(index, new ByteArrayInputStream(bytes()));
            case "binary-sized" -> statement.setBinaryStream(index, new ByteArrayInputStream(bytes()), bytes().length);
            case "blob" -> statement.setBlob(index, new ByteArrayInputStream(bytes()));
            case "date" -> statement.setDate(index, Date.valueOf(value));
            case "time" -> statement.setTime(index, Time.valueOf(value));
            case "timestamp" -> statement.setTimestamp(index, Timestamp.valueOf(value));
            case "localdate" -> statement.setObject(index, LocalDate.parse(value));
            case "localtime" -> statement.setObject(index, LocalTime.parse(value));
            case "localdatetime" -> statement.setObject(index, LocalDateTime.parse(value));
            case "offsetdatetime" -> statement.setObject(index, OffsetDateTime.parse(value));
            case "instant" -> statement.setTimestamp(index, Timestamp.from(Instant.parse(value)));
            case "uuid" -> statement.setObject(index, UUID.fromString(text()));
            case "other" -> statement.setObject(index, text(), Types.OTHER);
            case "as-varchar" -> statement.setObject(index, text(), Types.VARCHAR);
            case "as-bigint" -> statement.setObject(index, text(), Types.BIGINT);
            case "as-decimal" -> statement.setObject(index, new BigDecimal(value), Types.DECIMAL);
            case "integers" ->
                statement.setArray(
                        index, statement.getConnection().createArrayOf("INTEGER", (Object[]) value.split(" ")));
            default -> throw new IllegalArgumentException("no setter " + setter);
        }
    }

    Object plain() {
        if (value.equalsIgnoreCase("null")) {
            return null;
        }
        if (value.equalsIgnoreCase("true") || value.equalsIgnoreCase("false")) {
            return Boolean.valueOf(value);
        }
        if (value.startsWith("'")) {
            return text();
        }
        if (value.regionMatches(true, 0, "x'", 0, 2)) {
            return bytes();
        }
        if (value.matches("-?\\d+")) {
            long number = Long.parseLong(value);
            return number == (int) number ? (Object) (int) number : (Object) number;
        }
        return new BigDecimal(value);
    }

    private String text() {
        return value.substring(1, value.length() - 1).replace("''", "'");
    }

    private byte[] bytes() {
        return value.startsWith("'")
                ? text().getBytes(StandardCharsets.UTF_8)
                : HexFormat.of().parseHex(value.substring(2, value.length() - 1));
    }

    private static int type(String name) {
        try {
            Field field = Types.class.getField(name);
            return field.getInt(null);
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("no JDBC type " + name, e);
        }
    }
}
