/**
 * The messages of Seata's TCP protocol, version 1, as immutable records, and the enumerations whose ordinals travel as bytes.
 * How they are laid out in bytes is the business of {@link io.txn.protocol.codec}.
 */
@NullMarked
package io.txn.protocol.message;

import org.jspecify.annotations.NullMarked;
