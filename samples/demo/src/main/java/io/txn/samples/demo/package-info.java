/**
 * The demo: starts the coordinator and the four services as separate processes, buys once with success and once
 * without, and checks every figure. What the end-to-end tests need too is public.
 */
@NullMarked
package io.txn.samples.demo;

import org.jspecify.annotations.NullMarked;
