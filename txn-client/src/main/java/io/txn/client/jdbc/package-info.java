/**
 * AT mode over JDBC: a {@link javax.sql.DataSource} whose local transactions take part in global ones without further code. What is
 * captured, refused and undone, and why, stands in {@code docs/at.md}. SQL is understood in {@code sql}, database differences are values
 * in {@code dialect}, the undo record and its application live in {@code undo}; this package holds the proxies and the life of a local
 * transaction.
 */
@NullMarked
package io.txn.client.jdbc;

import org.jspecify.annotations.NullMarked;
