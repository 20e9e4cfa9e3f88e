/**
 * Actions: methods with a counterpart that the coordinator calls, as TCC (try, confirm, cancel) or as steps of a saga (action, compensation). Knows the fence and the resource
 * manager; how the methods are found and called is told by whoever declares them.
 */
@NullMarked
package io.txn.client.action;

import org.jspecify.annotations.NullMarked;
