package io.txn.samples.storage;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class StorageApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(StorageApplication.class, arguments);
    }
}
