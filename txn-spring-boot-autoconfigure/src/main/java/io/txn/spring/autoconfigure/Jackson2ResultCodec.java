package io.txn.spring.autoconfigure;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.txn.client.ResultCodec;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Results as JSON by Jackson 2. The mapper is asked for at the first result. */
final class Jackson2ResultCodec implements ResultCodec {

    private final Supplier<ObjectMapper> mapper;

    Jackson2ResultCodec(Supplier<ObjectMapper> mapper) {
        this.mapper = mapper;
    }

    @Override
    public String encode(@Nullable Object result, Type declared) {
        ObjectMapper json = mapper.get();
        try {
            return json.writerFor(json.constructType(declared)).writeValueAsString(result);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public @Nullable Object decode(String text, Type declared) {
        ObjectMapper json = mapper.get();
        try {
            return json.readerFor(json.constructType(declared)).readValue(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
