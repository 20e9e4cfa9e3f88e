/**
 * What databases need for branches that they prepare themselves: ids, statements, the list of what is prepared. Works on the connections it is given; knows neither proxies nor the
 * coordinator.
 */
@NullMarked
package io.txn.client.jdbc.xa;

import org.jspecify.annotations.NullMarked;
