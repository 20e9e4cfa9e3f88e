/**
 * How the messages of {@link io.txn.protocol.message} are laid out in bytes, and how frames are cut out of a stream of bytes. Works on
 * Netty's buffers and knows nothing of channels, threads or time.
 */
@NullMarked
package io.txn.protocol.codec;

import org.jspecify.annotations.NullMarked;
