package io.txn.spring.autoconfigure;

import io.txn.client.ResultCodec;
import org.springframework.beans.factory.ObjectProvider;

/** How the results of requests with an idempotency key are stored: by the JSON mapper that the application has. */
final class IdempotencyBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        if (beans.isMissing(ResultCodec.class)
                && !(beans.arePresent("tools.jackson.databind.ObjectMapper") && Jackson3.register(beans))
                && beans.arePresent("com.fasterxml.jackson.databind.ObjectMapper")) {
            Jackson2.register(beans);
        }
    }

    /** Jackson 3, which Spring Boot 4 brings. */
    static final class Jackson3 {

        private Jackson3() {}

        /** False where it is on the class path only. */
        static boolean register(BeanRegistrations beans) {
            if (beans.isMissing(tools.jackson.databind.ObjectMapper.class)) {
                return false;
            }
            beans.lazy(Jackson3.class, "txnJackson3ResultCodec", ResultCodec.class);
            return true;
        }

        static ResultCodec txnJackson3ResultCodec(ObjectProvider<tools.jackson.databind.ObjectMapper> mappers) {
            return new Jackson3ResultCodec(mappers::getObject);
        }
    }

    /** Jackson 2, which Spring Boot 3 brings. */
    static final class Jackson2 {

        private Jackson2() {}

        static void register(BeanRegistrations beans) {
            if (!beans.isMissing(com.fasterxml.jackson.databind.ObjectMapper.class)) {
                beans.lazy(Jackson2.class, "txnJackson2ResultCodec", ResultCodec.class);
            }
        }

        static ResultCodec txnJackson2ResultCodec(ObjectProvider<com.fasterxml.jackson.databind.ObjectMapper> mappers) {
            return new Jackson2ResultCodec(mappers::getObject);
        }
    }
}
