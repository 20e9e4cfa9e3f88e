package io.txn.samples.business;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.restclient.RestTemplateBuilder;
import org.springframework.cloud.openfeign.EnableFeignClients;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.client.RestClient;

/**
 * One service by each of the usual clients. All a team has to do for the global transaction to travel along is what it
 * does anyway: build them from Spring's builders.
 */
@Configuration(proxyBeanMethods = false)
@EnableFeignClients
@EnableConfigurationProperties(ShopProperties.class)
class HttpClients {

    @Bean
    StorageClient storageClient(RestClient.Builder builder, ShopProperties shop) {
        return new StorageClient(builder.baseUrl(shop.storageUrl()).build());
    }

    @Bean
    AccountClient accountClient(RestTemplateBuilder builder, ShopProperties shop) {
        return new AccountClient(builder.baseUri(shop.accountUrl()).build());
    }
}
