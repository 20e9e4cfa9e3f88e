package io.txn.coordinator.app.registration;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * etcd, over its JSON gateway: a key under a lease, which is kept alive every three seconds and revoked at the end. A coordinator that is killed is out after ten seconds. The key
 * is {@code /txn/coordinators/<cluster>/<host:port>}, its value the metadata.
 */
public final class EtcdRegistry implements Registry {

    private static final int LEASE_SECONDS = 10;
    private static final int KEEP_ALIVE_SECONDS = 3;
    private static final Pattern ID = Pattern.compile("\"ID\"\\s*:\\s*\"(-?\\d+)\"");
    private static final Pattern TTL = Pattern.compile("\"TTL\"\\s*:\\s*\"([1-9]\\d*)\"");
    private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"\\\\]+)\"");

    private final List<String> endpoints;
    private final String cluster;
    private final @Nullable String username;
    private final @Nullable String password;
    private final HttpTalk talk;
    private @Nullable String token;
    private @Nullable String lease;
    private int looks;

    /** @param endpoints of its servers, {@code http://host:port} */
    public EtcdRegistry(List<String> endpoints, String cluster, @Nullable String username, @Nullable String password) {
        this.endpoints = List.copyOf(endpoints);
        this.cluster = cluster;
        this.username = username;
        this.password = password;
        this.talk = new HttpTalk(endpoints.stream()
                .map(url -> url.endsWith("/") ? url.substring(0, url.length() - 1) : url)
                .toList());
    }

    @Override
    public void join(Advertised self) throws IOException, InterruptedException {
        String granted = ask("/v3/lease/grant", "{\"TTL\":\"" + LEASE_SECONDS + "\"}");
        Matcher id = ID.matcher(granted);
        if (!id.find()) {
            throw new IOException("it granted no lease");
        }
        String fresh = id.group(1);
        ask(
                "/v3/kv/put",
                "{\"key\":\"" + encoded("/txn/coordinators/" + cluster + '/' + self.address()) + "\",\"value\":\""
                        + encoded(HttpTalk.object(self.metadata())) + "\",\"lease\":\"" + fresh + "\"}");
        lease = fresh;
        looks = 0;
    }

    @Override
    public Presence look() throws InterruptedException {
        if (++looks % KEEP_ALIVE_SECONDS != 0) {
            return Presence.LISTED;
        }
        try {
            String kept = ask("/v3/lease/keepalive", "{\"ID\":\"" + lease + "\"}");
            // Of a lease that is over nothing is left to live.
            return TTL.matcher(kept).find() ? Presence.LISTED : Presence.FORGOTTEN;
        } catch (IOException e) {
            looks = KEEP_ALIVE_SECONDS - 1; // asked again with the next look
            return Presence.AWAY;
        }
    }

    @Override
    public void leave() throws IOException, InterruptedException {
        if (lease != null) {
            ask("/v3/lease/revoke", "{\"ID\":\"" + lease + "\"}");
            lease = null;
        }
    }

    private String ask(String path, String body) throws IOException, InterruptedException {
        if (username != null && password != null && token == null) {
            token = authenticate(username, password);
        }
        HttpResponse<String> answer = talk.send("POST", path, body, headers());
        if (answer.statusCode() == 401 && username != null && password != null) {
            token = authenticate(username, password); // the one we had is too old
            answer = talk.send("POST", path, body, headers());
        }
        if (answer.statusCode() != 200) {
            throw new IOException("it answers " + answer.statusCode() + " to " + path + ": "
                    + answer.body().strip().lines().limit(1).findFirst().orElse(""));
        }
        return answer.body();
    }

    private Map<String, String> headers() {
        return token == null ? Map.of() : Map.of("Authorization", token);
    }

    private String authenticate(String user, String secret) throws IOException, InterruptedException {
        HttpResponse<String> answer = talk.send(
                "POST",
                "/v3/auth/authenticate",
                "{\"name\":" + HttpTalk.quoted(user) + ",\"password\":" + HttpTalk.quoted(secret) + '}',
                Map.of());
        Matcher found = TOKEN.matcher(answer.body());
        if (answer.statusCode() != 200 || !found.find()) {
            throw new IOException("it refuses the user or the password");
        }
        return found.group(1);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        // Holds nothing.
    }

    @Override
    public String toString() {
        return "etcd " + Registry.shown(endpoints) + " cluster " + cluster;
    }
}
