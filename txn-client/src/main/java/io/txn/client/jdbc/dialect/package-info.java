/**
 * What differs between databases, as values: how a statement's effect is captured, how a column is read and written exactly, what the catalog
 * says of a table, what the session of an undo needs. Knows connections, and nothing of transactions.
 */
@NullMarked
package io.txn.client.jdbc.dialect;

import org.jspecify.annotations.NullMarked;
