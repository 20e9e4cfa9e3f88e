/**
 * Where coordinators are: {@link io.txn.client.discovery.CoordinatorLocator the port}, an address list, and Nacos. Knows nothing of
 * connections.
 */
@NullMarked
package io.txn.client.discovery;

import org.jspecify.annotations.NullMarked;
