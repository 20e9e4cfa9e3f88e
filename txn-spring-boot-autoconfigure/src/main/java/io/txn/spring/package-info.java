/**
 * What an application writes: {@link io.txn.spring.GlobalTransactional}, and the aspect that gives it its meaning. How a transaction is
 * opened and ended is {@link io.txn.client}'s business.
 */
@NullMarked
package io.txn.spring;

import org.jspecify.annotations.NullMarked;
