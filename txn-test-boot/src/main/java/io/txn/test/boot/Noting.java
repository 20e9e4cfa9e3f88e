package io.txn.test.boot;

import static io.txn.client.saga.Saga.call;

import io.txn.client.saga.Saga;
import io.txn.client.saga.SagaBuilder;
import io.txn.client.saga.SagaDefinition;
import io.txn.client.saga.SagaStep;
import io.txn.client.saga.Sagas;
import io.txn.client.saga.Step;
import java.time.Duration;
import java.util.Map;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** A saga, for who asks for one. Its definition names methods and components of records by references, which are looked into when it is made. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty("boot-line.saga")
class Noting {

    /** What it is started with. */
    public record Note(String text, boolean kept) {}

    @Bean
    SagaDefinition<Note, Integer> notingSaga() {
        SagaBuilder<Note> saga = Saga.define("noting", 1, Note.class);
        Step<Integer> write = saga.step("write", call(Notes.class, Notes::write, saga.input(Note::text)));
        saga.choose("kept", saga.input(Note::kept), kept -> kept ? "yes" : "no")
                .when("yes", way -> {})
                .when("no", way -> way.step("refuse", call(Notes.class, Notes::refuse, write.result())));
        return saga.returns(write.result());
    }

    @Bean
    Notes notes(JdbcTemplate jdbc) {
        return new Notes(jdbc);
    }

    /** Its steps. */
    public static class Notes {

        private final JdbcTemplate jdbc;

        Notes(JdbcTemplate jdbc) {
            this.jdbc = jdbc;
        }

        @SagaStep(name = "notes.write", compensation = "tearOut")
        public int write(String text) {
            return jdbc.update("INSERT INTO note (text) VALUES (?)", text);
        }

        public void tearOut(String text, int rows) {
            jdbc.update("DELETE FROM note WHERE text = ?", text);
        }

        @SagaStep(name = "notes.refuse", compensation = "nothing", refusals = IllegalStateException.class)
        public void refuse(int rows) {
            throw new IllegalStateException("wished for after " + rows + " row");
        }

        public void nothing(int rows) {}
    }

    /** What the test calls. */
    @RestController
    @ConditionalOnProperty("boot-line.saga")
    static class NotingEntry {

        private final Sagas sagas;
        private final SagaDefinition<Note, Integer> noting;

        NotingEntry(Sagas sagas, SagaDefinition<Note, Integer> noting) {
            this.sagas = sagas;
            this.noting = noting;
        }

        @PostMapping("/saga/{note}")
        Map<String, String> note(@PathVariable("note") String note, @RequestParam("kept") boolean kept) {
            var outcome = sagas.start(noting, new Note(note, kept)).await(Duration.ofSeconds(60));
            return Map.of("state", outcome.state().name(), "why", String.valueOf(outcome.failure()));
        }
    }
}
