package io.txn.samples.modes;

import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;

/** Two databases: the trip's own, and that of the loyalty programme. */
@Configuration(proxyBeanMethods = false)
class Databases {

    @Bean
    @Primary
    DataSource trip() {
        return database(
                "trip",
                "CREATE TABLE IF NOT EXISTS wallet (customer VARCHAR(20) PRIMARY KEY, balance INT NOT NULL, held INT NOT NULL)"
                        + "\\;MERGE INTO wallet VALUES ('alice', 500, 0)"
                        + "\\;CREATE TABLE IF NOT EXISTS booking (id VARCHAR(40) PRIMARY KEY, customer VARCHAR(20) NOT NULL)");
    }

    @Bean
    DataSource loyalty() {
        return database(
                "loyalty",
                "CREATE TABLE IF NOT EXISTS points (customer VARCHAR(20) PRIMARY KEY, points INT NOT NULL)"
                        + "\\;MERGE INTO points VALUES ('alice', 0)");
    }

    private static DataSource database(String name, String schema) {
        DataSource made = DataSourceBuilder.create()
                .url("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1")
                .username("sa")
                .password("")
                .build();
        JdbcClient client = JdbcClient.create(made);
        for (String sql : schema.split("\\\\;")) {
            client.sql(sql).update();
        }
        return made;
    }

    @Bean
    @Primary
    PlatformTransactionManager tripTransactions(DataSource trip) {
        return new DataSourceTransactionManager(trip);
    }

    @Bean
    JdbcClient tripClient(DataSource trip) {
        return JdbcClient.create(trip);
    }

    @Bean
    JdbcClient loyaltyClient(@Qualifier("loyalty") DataSource loyalty) {
        return JdbcClient.create(loyalty);
    }
}
