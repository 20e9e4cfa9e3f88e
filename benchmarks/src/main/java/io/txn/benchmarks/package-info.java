/**
 * Programs that measure the coordinator and its journal. They print figures together with the machine they were taken on, and assert nothing about
 * time; a run in which something went wrong other than time fails.
 */
@NullMarked
package io.txn.benchmarks;

import org.jspecify.annotations.NullMarked;
