package io.txn.spring.autoconfigure;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigureOrder;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Import;
import org.springframework.core.Ordered;

/** AT mode: data sources are wrapped, so that their local transactions take part in the global one. */
@AutoConfiguration(
        after = TxnAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
            "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration"
        })
@AutoConfigureOrder(Ordered.LOWEST_PRECEDENCE)
@ConditionalOnClass(name = "javax.sql.DataSource")
@ConditionalOnProperty(
        name = {"txn.enabled", "txn.jdbc.enabled"},
        havingValue = "true",
        matchIfMissing = true)
@EnableConfigurationProperties({JdbcProperties.class, XaProperties.class})
@Import(DataSourceBeans.class)
public final class TxnDataSourceAutoConfiguration {}
