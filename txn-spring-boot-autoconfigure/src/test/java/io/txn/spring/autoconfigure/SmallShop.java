package io.txn.spring.autoconfigure;

import io.txn.client.ContextCarrier;
import io.txn.client.TransactionContext;
import io.txn.spring.GlobalTransactional;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.autoconfigure.jdbc.JdbcTemplateAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** An application with one table, to be started more than once in a JVM. */
public final class SmallShop implements AutoCloseable {

    private final ConfigurableApplicationContext context;

    private SmallShop(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** Starts it with a database in memory of this name. */
    public static SmallShop start(String name, String... properties) {
        ConfigurableApplicationContext context = new SpringApplicationBuilder(Beans.class)
                .web(WebApplicationType.NONE)
                .registerShutdownHook(false)
                .properties(
                        "spring.main.banner-mode=off",
                        "spring.application.name=" + name,
                        "spring.jmx.enabled=true",
                        "spring.jmx.unique-names=true",
                        "spring.datasource.url=jdbc:h2:mem:" + name + ";DB_CLOSE_ON_EXIT=FALSE",
                        "spring.datasource.hikari.pool-name=" + name,
                        "spring.datasource.hikari.register-mbeans=true",
                        "spring.datasource.hikari.maximum-pool-size=2")
                .properties(properties)
                .run();
        context.getBean(JdbcTemplate.class).execute("CREATE TABLE orders (id INT PRIMARY KEY)");
        return new SmallShop(context);
    }

    /** Sells in a global transaction, does something else within it, and returns the XID. */
    String sell(int id, Runnable within) {
        return context.getBean(Till.class).sell(id, within);
    }

    List<Integer> sold() {
        return context.getBean(JdbcTemplate.class).queryForList("SELECT id FROM orders ORDER BY id", Integer.class);
    }

    /** The XID that its beans see on this thread. */
    @Nullable
    String xid() {
        TransactionContext bound = context.getBean(ContextCarrier.class).current();
        return bound == null ? null : bound.xid().value();
    }

    void plain(int id) {
        context.getBean(JdbcTemplate.class).update("INSERT INTO orders VALUES (?)", id);
    }

    int undoRecords() {
        Integer records =
                context.getBean(JdbcTemplate.class).queryForObject("SELECT COUNT(*) FROM undo_log", Integer.class);
        return records == null ? -1 : records;
    }

    @Override
    public void close() {
        context.close();
    }

    @Configuration(proxyBeanMethods = false)
    @ImportAutoConfiguration({
        TxnEmbeddedAutoConfiguration.class,
        TxnAutoConfiguration.class,
        TxnDataSourceAutoConfiguration.class,
        TxnPropagationAutoConfiguration.class,
        DataSourceAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        JdbcTemplateAutoConfiguration.class
    })
    static class Beans {
        @Bean
        Till till(JdbcTemplate jdbc, ContextCarrier contexts) {
            return new Till(jdbc, contexts);
        }
    }

    static class Till {

        private final JdbcTemplate jdbc;
        private final ContextCarrier contexts;

        Till(JdbcTemplate jdbc, ContextCarrier contexts) {
            this.jdbc = jdbc;
            this.contexts = contexts;
        }

        @GlobalTransactional(name = "sell")
        public String sell(int id, Runnable within) {
            jdbc.update("INSERT INTO orders VALUES (?)", id);
            within.run();
            return contexts.current().xid().value();
        }
    }
}
