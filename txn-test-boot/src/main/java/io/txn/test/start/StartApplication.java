package io.txn.test.start;

import io.txn.spring.GlobalTransactional;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** A web server, a pool, and a service that works in transactions. It asks its database when it starts, as applications do that migrate or map a schema. */
@SpringBootApplication(proxyBeanMethods = false)
public class StartApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(StartApplication.class, arguments);
    }

    /** As its applications have some: proxies are made for it with and without the starter. */
    @Service
    static class Orders {

        private final JdbcTemplate jdbc;

        Orders(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
            count();
        }

        @GlobalTransactional
        @Transactional
        public int count() {
            Integer count = jdbc.queryForObject("SELECT 1", Integer.class);
            return count == null ? 0 : count;
        }
    }
}
