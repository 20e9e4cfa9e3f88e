package io.txn.spring.autoconfigure;

import io.txn.client.ResultCodec;
import java.lang.reflect.Type;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.ObjectMapper;

/** Results as JSON by Jackson 3. The mapper is asked for at the first result. */
final class Jackson3ResultCodec implements ResultCodec {

    private final Supplier<ObjectMapper> mapper;

    Jackson3ResultCodec(Supplier<ObjectMapper> mapper) {
        this.mapper = mapper;
    }

    @Override
    public String encode(@Nullable Object result, Type declared) {
        ObjectMapper json = mapper.get();
        return json.writerFor(json.constructType(declared)).writeValueAsString(result);
    }

    @Override
    public @Nullable Object decode(String text, Type declared) {
        ObjectMapper json = mapper.get();
        return json.readerFor(json.constructType(declared)).readValue(text);
    }
}
