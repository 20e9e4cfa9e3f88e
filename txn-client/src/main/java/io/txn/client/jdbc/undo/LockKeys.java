package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Value;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The global lock keys of changed rows, {@code table:key,key;table:part_part}: sorted, each once, so that two transactions ask for the same rows
 * in the same order. Built from what the database stored. Separators within a value are written as {@code %xx}, and long keys as their
 * digest: both map one row to one text, always the same.
 */
public final class LockKeys {

    private static final int LONGEST = 200;

    private LockKeys() {}

    /** The keys of all rows that the changes matched, those that they had and those that they have; empty when there are none. */
    public static String of(List<TableChange> changes) {
        Map<String, List<String>> tables = new TreeMap<>();
        for (TableChange change : changes) {
            if (change.rows().isEmpty()) {
                continue;
            }
            List<Integer> key = change.keyIndexes();
            List<Integer> columns = key.size() == 1 ? key : inOrder(change, key);
            List<String> rows = tables.computeIfAbsent(escaped(change.lockName()), t -> new ArrayList<>());
            for (RowChange row : change.rows()) {
                String now = row(row.existing(), columns);
                rows.add(now);
                String before = row.before() == null || row.after() == null ? now : row(row.original(), columns);
                if (!before.equals(now)) {
                    rows.add(before);
                }
            }
        }
        return text(tables);
    }

    private static List<Integer> inOrder(TableChange change, List<Integer> key) {
        List<Integer> order =
                order(key.stream().map(i -> change.columns().get(i).name()).toList());
        return order.stream().map(key::get).toList();
    }

    /** The key of a row, which stands in these columns of it, in this order. */
    private static String row(List<Value> row, List<Integer> columns) {
        if (columns.size() > 1) {
            return row(columns.stream().map(row::get).toList());
        }
        String text = escaped(row.get(columns.get(0)).asKeyText());
        return text.length() <= LONGEST ? text : digest(text);
    }

    /**
     * The keys of rows of one table.
     *
     * @param columns the names of the key's columns, in the key's order, as the values are
     */
    public static String of(String lockName, List<String> columns, List<List<Value>> keys) {
        Map<String, List<String>> tables = new TreeMap<>();
        List<Integer> order = order(columns);
        addAll(tables, lockName, order, keys);
        return text(tables);
    }

    private static void addAll(
            Map<String, List<String>> tables, String lockName, List<Integer> order, List<List<Value>> keys) {
        if (keys.isEmpty()) {
            return;
        }
        List<String> rows = tables.computeIfAbsent(escaped(lockName), t -> new ArrayList<>());
        for (List<Value> key : keys) {
            rows.add(
                    order.size() == 1
                            ? row(key)
                            : row(order.stream().map(key::get).toList()));
        }
    }

    /**
     * The order of a composite key's columns in a lock key, as indexes. Seata's Java client (2.6) goes through a hash map of their names, filled in
     * the key's order; whoever shares locks with it has to do the same. A string's hash and so this order are the same in every JVM.
     */
    private static List<Integer> order(List<String> columns) {
        if (columns.size() == 1) {
            return List.of(0);
        }
        Map<String, Integer> byName = new HashMap<>();
        for (int i = 0; i < columns.size(); i++) {
            byName.put(columns.get(i), i);
        }
        return List.copyOf(byName.values());
    }

    /** One row's key as it stands between the commas, its values in the order given. */
    public static String row(List<Value> key) {
        String text = key.size() == 1
                ? escaped(key.get(0).asKeyText())
                : key.stream().map(v -> escaped(v.asKeyText())).collect(Collectors.joining("_"));
        return text.length() <= LONGEST ? text : digest(text);
    }

    private static String text(Map<String, List<String>> tables) {
        StringBuilder text = new StringBuilder();
        tables.forEach((table, rows) -> {
            Collections.sort(rows);
            text.append(text.isEmpty() ? "" : ";").append(table).append(':');
            String last = "";
            for (String row : rows) {
                if (!row.equals(last)) {
                    text.append(last.isEmpty() ? "" : ",").append(row);
                }
                last = row;
            }
        });
        return text.toString();
    }

    private static String escaped(String value) {
        int plain = 0;
        while (plain < value.length() && !isSpecial(value.charAt(plain))) {
            plain++;
        }
        if (plain > 0 && plain == value.length()) {
            return value;
        }
        StringBuilder escaped = new StringBuilder(value.length());
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (isSpecial(c)) {
                escaped.append('%').append(HexFormat.of().toHexDigits((byte) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.isEmpty() ? "%" : escaped.toString();
    }

    private static boolean isSpecial(char c) {
        return c == '%' || c == ',' || c == ';' || c == ':' || c == '^' || c < ' ' || c == 127;
    }

    private static String digest(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return "sha256~" + HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
