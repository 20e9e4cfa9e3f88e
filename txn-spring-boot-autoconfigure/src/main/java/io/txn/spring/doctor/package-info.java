/** What an application can say about itself and global transactions: what was found at its start, in one form for the log, the endpoint and tests. */
@NullMarked
package io.txn.spring.doctor;

import org.jspecify.annotations.NullMarked;
