package io.txn.samples.xa;

import javax.sql.DataSource;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.jdbc.DataSourceBuilder;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.init.ResourceDatabasePopulator;

/** Two pools as in any application with two databases: that they work in XA mode says {@code txn.jdbc.mode}, and nothing here. */
@Configuration(proxyBeanMethods = false)
class Banks {

    @Bean
    DataSource northDatabase(BankProperties banks) {
        return pool(banks.north());
    }

    @Bean
    DataSource southDatabase(BankProperties banks) {
        return pool(banks.south());
    }

    private static DataSource pool(BankProperties.Database database) {
        DataSource pool = DataSourceBuilder.create()
                .url(database.url())
                .username(database.username())
                .password(database.password())
                .build();
        new ResourceDatabasePopulator(new ClassPathResource("accounts.sql")).execute(pool);
        return pool;
    }

    @Bean
    Bank north(@Qualifier("northDatabase") DataSource database) {
        return new Bank("north", JdbcClient.create(database));
    }

    @Bean
    Bank south(@Qualifier("southDatabase") DataSource database) {
        return new Bank("south", JdbcClient.create(database));
    }
}
