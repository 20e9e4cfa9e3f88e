package io.txn.samples.business;

import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * Where the services are that take part in a purchase. The order service's address goes straight to its Feign client.
 */
@ConfigurationProperties("shop")
record ShopProperties(String storageUrl, String accountUrl) {}
