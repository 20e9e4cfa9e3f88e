package io.txn.protocol.codec;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.protocol.message.Message;
import io.txn.test.GeneratedDoc;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SchemasTest {

    @Test
    void everyMessageHasExactlyOneSchema() {
        List<Class<?>> messages = concrete(Message.class).distinct().toList();
        assertThat(messages).hasSize(28);
        assertThat(Schemas.all().stream().<Class<?>>map(Schema::type).toList())
                .containsExactlyInAnyOrderElementsOf(messages);
    }

    @Test
    void typeCodesAreThoseOfTheWire() {
        assertThat(Schemas.all().stream().map(Schema::typeCode).toList())
                .containsExactly(
                        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 21, 22, 59, 60, 101, 102, 103,
                        104, 111, 121);
    }

    @Test
    void everyMessageOccursInTheGoldenFrames() {
        List<? extends Class<?>> seen = GoldenFrame.current().stream()
                .map(golden -> golden.frame().body())
                .filter(java.util.Objects::nonNull)
                .map(Object::getClass)
                .distinct()
                .toList();
        assertThat(Schemas.all()).allSatisfy(schema -> assertThat(seen).anyMatch(schema.type()::equals));
    }

    @Test
    void thePageOfTheProtocolListsTheMessages() {
        StringBuilder table = new StringBuilder("| Code | Message | Fields |\n|---|---|---|\n");
        for (Schema<?> schema : Schemas.all()) {
            table.append("| ")
                    .append(schema.typeCode())
                    .append(" | ")
                    .append(schema.type().getSimpleName())
                    .append(" | ")
                    .append(String.join(", ", fields(schema)))
                    .append(" |\n");
        }
        GeneratedDoc.of("protocol.md").checkSection("messages", table.toString());
    }

    private static List<String> fields(Schema<?> schema) {
        if (schema.layout().get(0).equals("i4 length")) {
            return schema.layout();
        }
        RecordComponent[] components = schema.type().getRecordComponents();
        assertThat(components).hasSameSizeAs(schema.layout());
        List<String> fields = new ArrayList<>();
        for (int i = 0; i < components.length; i++) {
            String primitive = schema.layout().get(i);
            String name = components[i].getName();
            boolean saysItself = primitive.toLowerCase(Locale.ROOT).contains(name.toLowerCase(Locale.ROOT));
            fields.add(saysItself ? primitive : primitive + " " + name);
        }
        return fields;
    }

    private static Stream<Class<?>> concrete(Class<?> type) {
        return type.isSealed()
                ? Stream.of(type.getPermittedSubclasses()).flatMap(SchemasTest::concrete)
                : Stream.of(type);
    }
}
