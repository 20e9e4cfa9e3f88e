/**
 * The coordinator's memory: an append-only log of records, acknowledged only when they are on disk, with snapshots that let old records go.
 * It knows bytes, never what they mean; the codec of events and snapshots lives with the machine. Nothing here depends on another package
 * of the coordinator. {@code docs/journal.md} has the file format and what happens on damage.
 */
@NullMarked
package io.txn.coordinator.journal;

import org.jspecify.annotations.NullMarked;
