package io.txn.test.frameworks;

import io.txn.spring.autoconfigure.TxnAutoConfiguration;
import io.txn.spring.autoconfigure.TxnDataSourceAutoConfiguration;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.context.annotation.Configuration;

/** An application with the starter, and otherwise only with the auto-configurations that it names: this class path holds those of all frameworks. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({TxnAutoConfiguration.class, TxnDataSourceAutoConfiguration.class})
@interface WithTheStarter {}
