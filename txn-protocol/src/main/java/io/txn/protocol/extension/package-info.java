/** What our clients and our coordinator say to each other beyond Seata's protocol, in the heads of its frames. Texts and numbers only; no IO. */
@NullMarked
package io.txn.protocol.extension;

import org.jspecify.annotations.NullMarked;
