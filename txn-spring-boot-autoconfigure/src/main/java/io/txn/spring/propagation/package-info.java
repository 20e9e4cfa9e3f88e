/**
 * Carries global transactions from one service to the next in HTTP headers: out through RestTemplate, RestClient, WebClient and OpenFeign, in through a servlet
 * filter. What a call carries and what its answer means stands in {@link io.txn.spring.propagation.Outgoing} and
 * {@link io.txn.spring.propagation.Incoming}; everything else here fits one kind of client or server to them.
 */
@NullMarked
package io.txn.spring.propagation;

import org.jspecify.annotations.NullMarked;
