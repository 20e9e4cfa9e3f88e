/** What happens in the client, told to whoever wants to measure or trace it. Knows the words of the protocol only; no library of metrics is known here. */
@NullMarked
package io.txn.client.observation;

import org.jspecify.annotations.NullMarked;
