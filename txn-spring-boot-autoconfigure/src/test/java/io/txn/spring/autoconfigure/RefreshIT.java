package io.txn.spring.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.txn.client.jdbc.AtDataSource;
import io.txn.spring.GlobalTransactional;
import io.txn.spring.doctor.AdviceExamination;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.ConfigurationPropertiesBean;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.cloud.context.refresh.ContextRefresher;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.core.env.MapPropertySource;
import org.springframework.jdbc.core.JdbcTemplate;

/** Keys that change while the application runs, as Spring Cloud has them bound again: by its endpoint, or by a registry's configuration. */
@Timeout(180)
@ExtendWith(OutputCaptureExtension.class)
class RefreshIT {

    @TempDir
    Path directory;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Shop.class)
    static class Application {}

    @RefreshScope
    static class Shop {

        private final JdbcTemplate jdbc;
        private final String greeting;

        Shop(JdbcTemplate jdbc, @Value("${greeting}") String greeting) {
            this.jdbc = jdbc;
            this.greeting = greeting;
        }

        @GlobalTransactional
        public String buy(boolean failing) {
            jdbc.update("INSERT INTO bought (what) VALUES (1)");
            if (failing) {
                throw new IllegalStateException("wished for");
            }
            return greeting;
        }
    }

    @Test
    void keysAreBoundAgainAndTransactionsGoOn(CapturedOutput output) throws SQLException {
        try (TestCoordinator coordinator = TestCoordinator.start(directory);
                ConfigurableApplicationContext application = new SpringApplicationBuilder(Application.class)
                        .web(WebApplicationType.NONE)
                        .properties(
                                "spring.main.banner-mode=off",
                                "spring.datasource.url=jdbc:h2:mem:refresh",
                                "spring.datasource.generate-unique-name=false",
                                "spring.datasource.hikari.maximum-pool-size=4",
                                coordinator.property())
                        .initializers(context -> context.getEnvironment()
                                .getPropertySources()
                                .addFirst(new MapPropertySource("changing", Map.of("greeting", "one"))))
                        .run()) {
            JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
            jdbc.execute("CREATE TABLE bought (id INT AUTO_INCREMENT PRIMARY KEY, what INT)");
            Shop shop = application.getBean(Shop.class);
            assertThat(shop.buy(false)).isEqualTo("one");
            assertThat(application.getBean(AdviceExamination.class).examine())
                    .singleElement()
                    .satisfies(finding -> assertThat(finding.toString()).contains("1 method opens"));
            int before = output.getAll().length();

            application
                    .getEnvironment()
                    .getPropertySources()
                    .replace(
                            "changing",
                            new MapPropertySource(
                                    "changing",
                                    Map.of("greeting", "two", "spring.datasource.hikari.maximum-pool-size", "5")));
            application.getBean(ContextRefresher.class).refresh();

            assertThat(output.getAll().substring(before)).doesNotContain("WARN", "ERROR");
            assertThat(shop.buy(false)).isEqualTo("two");
            assertThatThrownBy(() -> shop.buy(true)).hasMessage("wished for");
            assertThat(jdbc.queryForObject("SELECT COUNT(*) FROM bought", Integer.class))
                    .isEqualTo(2);
            DataSource dataSource = application.getBean(DataSource.class);
            assertThat(dataSource).isInstanceOf(AtDataSource.class);
            assertThat(dataSource.unwrap(HikariDataSource.class).isRunning()).isTrue();

            String[] never = application
                    .getEnvironment()
                    .getRequiredProperty("spring.cloud.refresh.never-refreshable")
                    .split(",");
            assertThat(never).contains(HikariDataSource.class.getName());
            assertThat(ConfigurationPropertiesBean.getAll(application).values().stream()
                            .map(bean -> bean.getInstance().getClass().getName())
                            .filter(type -> type.startsWith("io.txn.")))
                    .isNotEmpty()
                    .isSubsetOf(never);
        }
    }
}
