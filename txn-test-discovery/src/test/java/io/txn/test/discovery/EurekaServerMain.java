package io.txn.test.discovery;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.cloud.netflix.eureka.server.EnableEurekaServer;

/** A Eureka server of its own, that knows no other: the port is its argument. */
@SpringBootConfiguration
@EnableAutoConfiguration
@EnableEurekaServer
class EurekaServerMain {

    public static void main(String[] arguments) {
        new SpringApplicationBuilder(EurekaServerMain.class)
                .properties(
                        "server.address=127.0.0.1",
                        "server.port=" + arguments[0],
                        "eureka.client.register-with-eureka=false",
                        "eureka.client.fetch-registry=false",
                        "eureka.server.enable-self-preservation=false",
                        // Else what was registered is answered half a minute later.
                        "eureka.server.use-read-only-response-cache=false",
                        "eureka.server.wait-time-in-ms-when-sync-empty=0",
                        "spring.cloud.nacos.discovery.enabled=false",
                        "spring.cloud.service-registry.auto-registration.enabled=false",
                        "txn.enabled=false")
                .run();
        System.out.println("Eureka serves");
    }
}
