/**
 * From SQL text to a plan: what a statement is, which table it names, and the pieces of its text that other statements are built from. Pure:
 * nothing here knows a connection or a catalog. The parser library is used in {@code Planner} and nowhere else.
 */
@NullMarked
package io.txn.client.jdbc.sql;

import org.jspecify.annotations.NullMarked;
