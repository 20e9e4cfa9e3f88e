package io.txn.coordinator.app.registration;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Requests with JSON in them to one of several servers that know the same; the one that answered last is asked first. For one thread. */
final class HttpTalk {

    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final List<String> servers;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();
    private int preferred;

    /** @param servers URLs without a slash at the end */
    HttpTalk(List<String> servers) {
        this.servers = List.copyOf(servers);
    }

    /**
     * The first answer of a server that is there, whatever its status.
     *
     * @throws IOException when none answered
     */
    HttpResponse<String> send(String method, String path, @Nullable String body, Map<String, String> headers)
            throws IOException, InterruptedException {
        IOException last = null;
        for (int attempt = 0; attempt < servers.size(); attempt++) {
            int index = (preferred + attempt) % servers.size();
            try {
                URI url = url(servers.get(index), path);
                HttpRequest.Builder request = HttpRequest.newBuilder(withoutUser(url))
                        .timeout(PATIENCE)
                        .header("Content-Type", "application/json")
                        .header("Accept", "application/json")
                        .method(
                                method,
                                body == null
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body));
                headers.forEach(request::header);
                if (url.getUserInfo() != null) {
                    request.header(
                            "Authorization",
                            "Basic "
                                    + Base64.getEncoder()
                                            .encodeToString(url.getUserInfo().getBytes(StandardCharsets.UTF_8)));
                }
                HttpResponse<String> answer = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
                preferred = index;
                return answer;
            } catch (IOException e) {
                last = e;
            }
        }
        throw last == null ? new IOException("no server is named") : last;
    }

    private static URI url(String server, String path) throws IOException {
        try {
            return URI.create(server + path);
        } catch (IllegalArgumentException e) {
            // Its own message repeats the whole of it, a password too.
            throw new IOException(Registry.shown(List.of(server)) + " is no URL");
        }
    }

    private static URI withoutUser(URI url) {
        return url.getUserInfo() == null ? url : URI.create(url.toString().replace(url.getRawUserInfo() + '@', ""));
    }

    /** A text as JSON has it. */
    static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            json.append(c < ' ' || c == '"' || c == '\\' || c > '~' ? String.format("\\u%04x", (int) c) : c);
        }
        return json.append('"').toString();
    }

    /** An object as JSON has it. */
    static String object(Map<String, String> texts) {
        StringBuilder json = new StringBuilder("{");
        texts.forEach((key, value) -> json.append(json.length() == 1 ? "" : ",")
                .append(quoted(key))
                .append(':')
                .append(quoted(value)));
        return json.append('}').toString();
    }
}
