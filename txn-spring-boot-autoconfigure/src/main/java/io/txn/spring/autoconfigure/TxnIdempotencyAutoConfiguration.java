package io.txn.spring.autoconfigure;

import io.txn.client.ResultCodec;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;

/** How the results of requests with an idempotency key are stored: by the JSON mapper that the application has. */
@AutoConfiguration(
        afterName = {
            "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration",
            "org.springframework.boot.jackson2.autoconfigure.Jackson2AutoConfiguration",
            "org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration"
        })
@ConditionalOnProperty(name = "txn.enabled", havingValue = "true", matchIfMissing = true)
public final class TxnIdempotencyAutoConfiguration {

    /** Jackson 3, which Spring Boot 4 brings. */
    @Configuration(proxyBeanMethods = false)
    @Order(1)
    @ConditionalOnClass(tools.jackson.databind.ObjectMapper.class)
    static class Jackson3 {

        @Bean
        @ConditionalOnBean(tools.jackson.databind.ObjectMapper.class)
        @ConditionalOnMissingBean
        ResultCodec txnJackson3ResultCodec(ObjectProvider<tools.jackson.databind.ObjectMapper> mappers) {
            return new Jackson3ResultCodec(mappers::getObject);
        }
    }

    /** Jackson 2, which Spring Boot 3 brings. */
    @Configuration(proxyBeanMethods = false)
    @Order(2)
    @ConditionalOnClass(com.fasterxml.jackson.databind.ObjectMapper.class)
    static class Jackson2 {

        @Bean
        @ConditionalOnBean(com.fasterxml.jackson.databind.ObjectMapper.class)
        @ConditionalOnMissingBean
        ResultCodec txnJackson2ResultCodec(ObjectProvider<com.fasterxml.jackson.databind.ObjectMapper> mappers) {
            return new Jackson2ResultCodec(mappers::getObject);
        }
    }
}
