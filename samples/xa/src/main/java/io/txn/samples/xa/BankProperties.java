package io.txn.samples.xa;

import org.springframework.boot.context.properties.ConfigurationProperties;

/** Where the two banks have their accounts. */
@ConfigurationProperties("banks")
record BankProperties(Database north, Database south) {

    record Database(String url, String username, String password) {}
}
