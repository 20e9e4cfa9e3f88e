package io.txn.spring.autoconfigure;

import io.txn.client.ResultCodec;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;

/** How the results of requests with an idempotency key are stored: by the JSON mapper that the application has, which is looked for when somebody has such a key. */
final class IdempotencyBeans extends BeanRegistrar {

    @Override
    void register(BeanRegistrations beans) {
        boolean newer = beans.arePresent("tools.jackson.databind.ObjectMapper");
        boolean older = beans.arePresent("com.fasterxml.jackson.databind.ObjectMapper");
        if ((newer || older) && beans.isOwnMissing(ResultCodec.class)) {
            Class<?> maker = newer ? older ? Both.class : Jackson3.class : Jackson2.class;
            beans.lazy(maker, "txnResultCodec", ResultCodec.class);
        }
    }

    /** Jackson 3, which Spring Boot 4 brings. No codec where it is on the class path only. */
    static final class Jackson3 {

        private Jackson3() {}

        static @Nullable ResultCodec txnResultCodec(ObjectProvider<tools.jackson.databind.ObjectMapper> mappers) {
            return mappers.stream().findAny().isEmpty() ? null : new Jackson3ResultCodec(mappers::getObject);
        }
    }

    /** Jackson 2, which Spring Boot 3 brings. */
    static final class Jackson2 {

        private Jackson2() {}

        static @Nullable ResultCodec txnResultCodec(
                ObjectProvider<com.fasterxml.jackson.databind.ObjectMapper> mappers) {
            return mappers.stream().findAny().isEmpty() ? null : new Jackson2ResultCodec(mappers::getObject);
        }
    }

    /** The newer of the two where the application has both. */
    static final class Both {

        private Both() {}

        static @Nullable ResultCodec txnResultCodec(
                ObjectProvider<tools.jackson.databind.ObjectMapper> newer,
                ObjectProvider<com.fasterxml.jackson.databind.ObjectMapper> older) {
            ResultCodec codec = Jackson3.txnResultCodec(newer);
            return codec == null ? Jackson2.txnResultCodec(older) : codec;
        }
    }
}
