/**
 * Connections between clients and coordinator over TCP: the Netty pipeline of both sides, heartbeats, requests and their answers. Knows
 * frames and messages, and nothing of transactions.
 */
@NullMarked
package io.txn.protocol.transport;

import org.jspecify.annotations.NullMarked;
