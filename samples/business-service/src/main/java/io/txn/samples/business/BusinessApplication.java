package io.txn.samples.business;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class BusinessApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(BusinessApplication.class, arguments);
    }
}
