/** The real Seata client in a program that tests start and drive. Never on the class path of anything else. */
package io.txn.test.seata;
