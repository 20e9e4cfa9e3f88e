/** Coordinators that an application's Spring Cloud {@code DiscoveryClient} knows. */
@NullMarked
package io.txn.spring.discovery;

import org.jspecify.annotations.NullMarked;
