/**
 * Connections to coordinators: one for transaction manager requests and one for resource manager requests to each address, registered,
 * kept, and replaced with back-off. Knows what a request is, and nothing of what it means.
 */
@NullMarked
package io.txn.client.rpc;

import org.jspecify.annotations.NullMarked;
