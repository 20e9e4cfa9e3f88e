package io.txn.samples.tcc;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class TccApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(TccApplication.class, arguments);
    }
}
