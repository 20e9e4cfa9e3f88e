package io.txn.test.boot;

import java.net.URI;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;
import org.springframework.web.reactive.function.client.WebClient;

/** The peer by every client that there is. */
@Component
final class Peers {

    private final Map<String, Function<URI, @Nullable String>> clients = new TreeMap<>();

    /** @param without the clients that are left out */
    Peers(
            RestTemplate template,
            RestClient rest,
            WebClient web,
            ExchangePeer exchange,
            FeignPeer feign,
            @Value("${peers.without:}") Set<String> without) {
        clients.put("rest-template", url -> template.postForObject(url, null, String.class));
        clients.put("rest-client", url -> rest.post().uri(url).retrieve().body(String.class));
        clients.put(
                "web-client",
                url -> web.post().uri(url).retrieve().bodyToMono(String.class).block());
        clients.put("http-exchange", exchange::insert);
        clients.put("feign", feign::insert);
        clients.keySet().removeAll(without);
    }

    /** Lets the peer insert one row by each client; the transactions in which it did, by client. */
    Map<String, String> insert(int port, String note) {
        Map<String, String> transactions = new TreeMap<>();
        clients.forEach((name, client) -> transactions.put(
                name,
                Objects.requireNonNull(
                        client.apply(URI.create("http://127.0.0.1:" + port + "/rows/" + note + '-' + name)), name)));
        return transactions;
    }
}
