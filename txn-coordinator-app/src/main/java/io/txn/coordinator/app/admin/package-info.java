/**
 * The admin API: paths under {@code /api/v1}, guarded by one bearer token, every error in the form {@code {"code", "message", "fix"}}. Translates
 * between JSON and {@link io.txn.coordinator.Coordinator}; decides nothing.
 */
@NullMarked
package io.txn.coordinator.app.admin;

import org.jspecify.annotations.NullMarked;
