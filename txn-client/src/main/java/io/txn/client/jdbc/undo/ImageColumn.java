package io.txn.client.jdbc.undo;

import io.txn.client.jdbc.dialect.Column;
import io.txn.client.jdbc.dialect.Table;
import java.util.Set;

/**
 * A column of an image.
 *
 * @param codec the id of the codec that read it
 * @param keyPosition its place in the primary key, from 0; -1 when it is not part of it
 * @param maintained whether the database writes it by itself, or a trigger that it is left to: restored, and not compared
 */
public record ImageColumn(String name, String codec, int keyPosition, boolean maintained) {

    /** @param leftToTriggers columns that triggers write, and are left to do so */
    public static ImageColumn of(Table table, Column column, Set<String> leftToTriggers) {
        return new ImageColumn(
                column.name(),
                column.codec().id(),
                table.key().indexOf(column),
                column.is(Column.Trait.MAINTAINED) || leftToTriggers.contains(column.name()));
    }

    public boolean inKey() {
        return keyPosition >= 0;
    }
}
