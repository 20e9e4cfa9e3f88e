package io.txn.samples.modes;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/** The sample as a user runs it, over HTTP, with the coordinator in the same process. */
class TripIT {

    @Test
    void aTripIsBookedAsOneOrNotAtAll() throws Exception {
        try (ConfigurableApplicationContext application =
                new SpringApplicationBuilder(ModesApplication.class).run("--server.port=0")) {
            String port = application.getEnvironment().getRequiredProperty("local.server.port");
            URI trips = URI.create("http://127.0.0.1:" + port + "/trips/alice");
            assertThat(get(trips)).isEqualTo("{\"balance\":500,\"held\":0,\"bookings\":0,\"points\":0}");

            HttpResponse<String> booked = post(trips);
            assertThat(booked.statusCode()).as(booked.body()).isEqualTo(200);
            assertThat(booked.body()).contains("hotel-", "train-");
            assertThat(get(trips)).isEqualTo("{\"balance\":300,\"held\":0,\"bookings\":2,\"points\":20}");

            HttpResponse<String> soldOut = post(URI.create(trips + "?soldOut=true"));
            assertThat(soldOut.statusCode()).as(soldOut.body()).isEqualTo(409);
            assertThat(soldOut.body()).contains("no seat on the train");
            assertThat(get(trips)).isEqualTo("{\"balance\":300,\"held\":0,\"bookings\":2,\"points\":20}");

            assertThat(post(trips).statusCode()).isEqualTo(200);
            HttpResponse<String> poor = post(trips);
            assertThat(poor.statusCode()).as(poor.body()).isEqualTo(409);
            assertThat(poor.body()).contains("not enough money");
            assertThat(get(trips)).isEqualTo("{\"balance\":100,\"held\":0,\"bookings\":4,\"points\":40}");
        }
    }

    private static String get(URI uri) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri).build()).body();
    }

    private static HttpResponse<String> post(URI uri) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri)
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    }

    private static HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
