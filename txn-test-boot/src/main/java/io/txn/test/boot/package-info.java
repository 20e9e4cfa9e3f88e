/** An application with every way to carry a global transaction that all lines of Spring Boot have, as its users write one. */
@NullMarked
package io.txn.test.boot;

import org.jspecify.annotations.NullMarked;
