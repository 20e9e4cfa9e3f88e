package io.txn.samples.annotatedsaga;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class AnnotatedSagaApplication {

    public static void main(String[] arguments) {
        SpringApplication.run(AnnotatedSagaApplication.class, arguments);
    }
}
