package io.txn.samples.saga;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class SagaApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(SagaApplication.class, arguments);
    }
}
