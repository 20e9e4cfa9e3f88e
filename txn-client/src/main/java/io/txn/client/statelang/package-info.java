/**
 * State machines written in Seata's state language (JSON), imported as sagas that the coordinator drives: reading and checking a definition, its small language of expressions, its plan, and what this application
 * does when it is called for a state. Knows no Spring and no way to find services; nothing that a definition or a saga's data names is ever loaded as a class.
 */
@NullMarked
package io.txn.client.statelang;

import org.jspecify.annotations.NullMarked;
