package io.txn.samples.account;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class AccountApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(AccountApplication.class, arguments);
    }
}
