/** Ids, modes and errors that coordinator and client share. Nothing here does IO or knows a wire format. */
@NullMarked
package io.txn.protocol;

import org.jspecify.annotations.NullMarked;
