/**
 * Conditions, beans and properties for Spring Boot 3.5 and 4: the client, the wrapping of data sources, and what to say when a start fails.
 * No algorithm lives here.
 */
@NullMarked
package io.txn.spring.autoconfigure;

import org.jspecify.annotations.NullMarked;
