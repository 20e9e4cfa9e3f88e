package io.txn.samples.xa;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

@SpringBootApplication
@ConfigurationPropertiesScan
public class XaApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(XaApplication.class, arguments);
    }
}
