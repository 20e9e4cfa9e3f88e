package io.txn.test.discovery;

import io.txn.client.GlobalTransactionOptions;
import io.txn.client.TxnClient;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** An application with the starter, and with a registry of its own. */
@SpringBootConfiguration
@EnableAutoConfiguration
class Application {

    static ConfigurableApplicationContext start(String... properties) {
        return new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .properties("spring.application.name=shop", "txn.client.start-wait=120s")
                .properties(properties)
                .run();
    }

    /** Begins a transaction and ends it; its XID. */
    static String begin(ConfigurableApplicationContext application) throws Exception {
        TxnClient client = application.getBean(TxnClient.class);
        try {
            return client.transactions()
                    .execute(
                            GlobalTransactionOptions.named("purchase"),
                            () -> client.contexts().current().xid().value());
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
