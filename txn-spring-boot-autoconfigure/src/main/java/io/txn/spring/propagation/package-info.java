/**
 * Carries the XID from one service to the next in the HTTP header {@value io.txn.spring.propagation.XidHeader#NAME}: out through RestTemplate,
 * RestClient and OpenFeign, in through a servlet filter.
 */
@NullMarked
package io.txn.spring.propagation;

import org.jspecify.annotations.NullMarked;
