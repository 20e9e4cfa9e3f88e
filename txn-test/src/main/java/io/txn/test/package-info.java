/**
 * Fixtures for tests of every module: real servers and processes. Never published, never on a production class path.
 */
@NullMarked
package io.txn.test;

import org.jspecify.annotations.NullMarked;
