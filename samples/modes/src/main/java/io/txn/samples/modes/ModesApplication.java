package io.txn.samples.modes;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class ModesApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(ModesApplication.class, arguments);
    }
}
