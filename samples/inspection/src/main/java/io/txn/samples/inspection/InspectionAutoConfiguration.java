package io.txn.samples.inspection;

import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.context.annotation.Bean;

/** Adds {@link TablesEndpoint} to any service with a database that has this module on its class path. */
@AutoConfiguration
public final class InspectionAutoConfiguration {

    @Bean
    TablesEndpoint tablesEndpoint(DataSource dataSource) {
        return new TablesEndpoint(dataSource);
    }
}
