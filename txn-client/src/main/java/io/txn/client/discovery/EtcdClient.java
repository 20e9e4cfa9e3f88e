package io.txn.client.discovery;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Two questions to etcd over its JSON gateway: which keys are there, and what changes. Keys only, and these in letters that JSON does not change, so no parser is
 * needed. The servers are asked in turn. Thread-safe.
 */
final class EtcdClient {

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int MOST_ANSWER = 4 << 20;
    private static final int MOST_REFUSAL = 200;
    private static final String REFUSES = "it refuses the user or the password";
    private static final Pattern KEY = Pattern.compile("\"key\"\\s*:\\s*\"([A-Za-z0-9+/=]*)\"");
    private static final Pattern REVISION = Pattern.compile("\"revision\"\\s*:\\s*\"(\\d+)\"");
    private static final Pattern TOKEN = Pattern.compile("\"token\"\\s*:\\s*\"([^\"\\\\]+)\"");

    private final EtcdSettings settings;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();
    private volatile int preferred;
    private volatile @Nullable String token;

    EtcdClient(EtcdSettings settings) {
        this.settings = settings;
    }

    /** The keys that begin with the prefix, without it, and the revision of which that is true. */
    record Keys(List<String> names, long revision) {}

    Keys keys(String prefix) throws IOException, InterruptedException {
        HttpResponse<InputStream> answer = post("/v3/kv/range", "{" + range(prefix) + ",\"keys_only\":true}", true);
        try (InputStream body = answer.body()) {
            String text = new String(body.readNBytes(MOST_ANSWER), StandardCharsets.UTF_8);
            List<String> names = new ArrayList<>();
            Matcher keys = KEY.matcher(text);
            while (keys.find()) {
                String key = new String(Base64.getDecoder().decode(keys.group(1)), StandardCharsets.UTF_8);
                if (key.startsWith(prefix)) {
                    names.add(key.substring(prefix.length()));
                }
            }
            Matcher revision = REVISION.matcher(text);
            return new Keys(names, revision.find() ? Long.parseLong(revision.group(1)) : 0);
        }
    }

    /** What happens to these keys from that revision on: a line each time, without end. */
    InputStream watch(String prefix, long revision) throws IOException, InterruptedException {
        return post(
                        "/v3/watch",
                        "{\"create_request\":{" + range(prefix) + ",\"start_revision\":\"" + revision + "\"}}",
                        false)
                .body();
    }

    private static String range(String prefix) {
        // All keys with this prefix: up to the one that its last letter's successor ends.
        String end = prefix.substring(0, prefix.length() - 1) + (char) (prefix.charAt(prefix.length() - 1) + 1);
        return "\"key\":\"" + encoded(prefix) + "\",\"range_end\":\"" + encoded(end) + '"';
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Where the way to an answer ended. */
    static final class Failure extends IOException {

        private static final long serialVersionUID = 1L;

        private final LookupStep.Kind step;

        private Failure(LookupStep.Kind step, String text, @Nullable Throwable cause) {
            super(text, cause);
            this.step = step;
        }

        LookupStep.Kind step() {
            return step;
        }
    }

    /** @param whole whether the answer comes at once; else its beginning does */
    private HttpResponse<InputStream> post(String path, String body, boolean whole)
            throws IOException, InterruptedException {
        Failure last = null;
        List<String> endpoints = settings.endpoints();
        for (int attempt = 0; attempt < endpoints.size(); attempt++) {
            int index = (preferred + attempt) % endpoints.size();
            String endpoint = endpoints.get(index);
            try {
                HttpResponse<InputStream> answer = authorized(endpoint, path, body);
                preferred = index;
                return answer;
            } catch (ConnectException e) {
                last = isKnown(endpoint)
                        ? named(
                                LookupStep.Kind.CONNECTION,
                                endpoint + " refuses connections: nothing listens there",
                                e,
                                last)
                        : named(
                                LookupStep.Kind.NAME,
                                endpoint + " cannot be found: the host name is not known here",
                                e,
                                last);
            } catch (Failure e) {
                last = named(e.step(), endpoint + ": " + e.getMessage(), e, last);
            } catch (IOException e) {
                last = named(LookupStep.Kind.CONNECTION, endpoint + ": " + e.getMessage(), e, last);
            }
        }
        throw last == null ? new IOException("no endpoint") : last;
    }

    private static boolean isKnown(String endpoint) {
        return !new InetSocketAddress(URI.create(endpoint).getHost(), 1).isUnresolved();
    }

    private static Failure named(LookupStep.Kind step, String text, IOException e, @Nullable Failure before) {
        return new Failure(step, before == null ? text : before.getMessage() + "; " + text, e);
    }

    private HttpResponse<InputStream> authorized(String endpoint, String path, String body)
            throws IOException, InterruptedException {
        if (settings.username() != null && token == null) {
            token = authenticate(endpoint);
        }
        HttpResponse<InputStream> answer = send(endpoint, path, body);
        if (answer.statusCode() == 401 && settings.username() != null) {
            answer.body().close();
            token = authenticate(endpoint); // the one we had is too old, or of before a restart
            answer = send(endpoint, path, body);
        }
        if (answer.statusCode() != 200) {
            try (InputStream refusal = answer.body()) {
                String said = new String(refusal.readNBytes(MOST_REFUSAL), StandardCharsets.UTF_8).strip();
                String text = "it answers " + answer.statusCode() + ' ' + said;
                // Whoever shows no user at all is answered 400.
                boolean refuses =
                        answer.statusCode() == 401 || answer.statusCode() == 403 || said.contains("user name is empty");
                throw refuses
                        ? new Failure(LookupStep.Kind.CREDENTIALS, REFUSES + " or the right to read: " + text, null)
                        : new IOException(text);
            }
        }
        return answer;
    }

    private String authenticate(String endpoint) throws IOException, InterruptedException {
        String body = "{\"name\":\"" + escaped(String.valueOf(settings.username())) + "\",\"password\":\""
                + escaped(String.valueOf(settings.password())) + "\"}";
        HttpResponse<InputStream> answer = send(endpoint, "/v3/auth/authenticate", body);
        try (InputStream text = answer.body()) {
            Matcher found = TOKEN.matcher(new String(text.readNBytes(MOST_ANSWER), StandardCharsets.UTF_8));
            if (answer.statusCode() != 200 || !found.find()) {
                throw new Failure(LookupStep.Kind.CREDENTIALS, REFUSES, null);
            }
            return found.group(1);
        }
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        for (char c : text.toCharArray()) {
            escaped.append(c < ' ' || c == '"' || c == '\\' || c > '~' ? String.format("\\u%04x", (int) c) : c);
        }
        return escaped.toString();
    }

    private HttpResponse<InputStream> send(String endpoint, String path, String body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(endpoint + path))
                .timeout(PATIENCE) // until the head of the answer is there
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        String known = token;
        if (known != null && !path.endsWith("/authenticate")) {
            request.header("Authorization", known);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    }
}
