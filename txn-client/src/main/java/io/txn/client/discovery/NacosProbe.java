package io.txn.client.discovery;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out what stands between this process and its coordinators in Nacos: an unknown host, a closed port, the second port that is closed, another group or
 * namespace. Everything it asks is an aid to the message, so what cannot be asked is left out. Blocks for a few seconds at most.
 */
final class NacosProbe {

    private static final Logger log = LoggerFactory.getLogger(NacosProbe.class);

    /** Part of what is said of a server that has no address. */
    static final String UNKNOWN_HOST = "cannot be found: the host name is not known here";

    /** Part of what is said of a namespace that is none. */
    static final String UNKNOWN_NAMESPACE = "there is no namespace with the id ";

    /** The same, where its name was given instead. */
    static final String NAME_OF_NAMESPACE = " is a name, and Nacos goes by ids: the id of this one is ";

    private static final int DEFAULT_PORT = 8848;
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final int MOST_NAMESPACES = 20;
    private static final int MOST_ANSWER = 1 << 20;

    /** Where the registry's client, from version 2 on, speaks gRPC; it knows no other way to be told. */
    private static final String OFFSET_PROPERTY = "nacos.server.grpc.port.offset";

    private static final Pattern FIELD = Pattern.compile("\"(\\w+)\"\\s*:\\s*\"([^\"\\\\]*)\"");

    /** By which the public namespace is named as well as by nothing. */
    private static final String PUBLIC = "public";

    private final NacosSettings settings;

    /** One for all questions: each brings threads along, which Java 17 ends only when nobody remembers it. */
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();

    NacosProbe(NacosSettings settings) {
        this.settings = settings;
    }

    /** Why none of its servers can be reached; null when one can, or when that cannot be said. */
    @Nullable
    String unreachable() {
        List<String> reasons = new ArrayList<>();
        for (HostPort server : servers()) {
            String reason = unreachable(server);
            if (reason == null) {
                return null;
            }
            reasons.add(reason);
        }
        return reasons.isEmpty() ? null : String.join("; ", reasons);
    }

    private static @Nullable String unreachable(HostPort server) {
        String http = refusal(server);
        if (http != null) {
            return server + " " + http;
        }
        HostPort rpc = new HostPort(server.host(), Math.min(65535, server.port() + offset()));
        String grpc = refusal(rpc);
        return grpc == null
                ? null
                : server + " answers, but " + rpc + " " + grpc
                        + ": Nacos is used over this second port too (its port + " + offset()
                        + "), which a firewall or a container has to let through";
    }

    private static int offset() {
        return Integer.getInteger(OFFSET_PROPERTY, 1000);
    }

    private static @Nullable String refusal(HostPort to) {
        InetSocketAddress address = new InetSocketAddress(to.host(), to.port());
        if (address.isUnresolved()) {
            return UNKNOWN_HOST;
        }
        try (Socket socket = new Socket()) {
            socket.connect(address, (int) PATIENCE.toMillis());
            return null;
        } catch (ConnectException e) {
            return "refuses connections: nothing listens there";
        } catch (IOException e) {
            return "does not answer (" + e.getMessage() + ")";
        }
    }

    /** None when an address server names them, or when they are written in a way that is the library's business. */
    private List<HostPort> servers() {
        List<HostPort> servers = new ArrayList<>();
        for (String one : settings.serverAddr().split("[,;]")) {
            String plain = one.strip().replaceFirst("^https?://", "").replaceFirst("/.*", "");
            try {
                if (!plain.isEmpty()) {
                    servers.add(HostPort.parse(plain.matches(".*:\\d+") ? plain : plain + ':' + DEFAULT_PORT));
                }
            } catch (RuntimeException e) {
                return List.of();
            }
        }
        return servers;
    }

    /** In which other group or namespace the service is, or that there is no such namespace; null when nothing was found. */
    @Nullable
    String elsewhere() {
        for (HostPort server : servers()) {
            try {
                return new Questions(server).elsewhere();
            } catch (IOException | RuntimeException e) {
                log.debug("the registry was not to be asked more", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
        return null;
    }

    /** What its HTTP side, which is for people, knows. Its paths differ by version: the older first. */
    private final class Questions {

        private final String base;
        private final String token;

        Questions(HostPort server) throws IOException, InterruptedException {
            String scheme = settings.serverAddr().contains("https://" + server.host()) ? "https://" : "http://";
            base = scheme + server + "/nacos";
            token = token();
        }

        @Nullable
        String elsewhere() throws IOException, InterruptedException {
            Map<String, String> namespaces = namespaces();
            String wanted =
                    settings.namespace() == null || settings.namespace().equals(PUBLIC) ? "" : settings.namespace();
            if (!wanted.isEmpty() && !namespaces.isEmpty() && !namespaces.containsKey(wanted)) {
                for (Map.Entry<String, String> each : namespaces.entrySet()) {
                    if (each.getValue().equals(wanted)) {
                        return "namespace " + wanted + NAME_OF_NAMESPACE
                                + (each.getKey().isEmpty() ? "empty (the public one)" : each.getKey());
                    }
                }
                return UNKNOWN_NAMESPACE + wanted + "; the ids are " + namespaces.keySet();
            }
            TreeSet<String> groups = groups(wanted);
            groups.remove(settings.group());
            if (!groups.isEmpty()) {
                return "nobody is registered in group " + settings.group() + ", but in " + groups
                        + ": see txn.nacos.group";
            }
            namespaces.putIfAbsent("", PUBLIC);
            int left = MOST_NAMESPACES;
            for (Map.Entry<String, String> other : namespaces.entrySet()) {
                if (!other.getKey().equals(wanted) && left-- > 0) {
                    TreeSet<String> there = groups(other.getKey());
                    if (!there.isEmpty()) {
                        return "nobody is registered in "
                                + (wanted.isEmpty() ? "the public namespace" : "namespace " + wanted) + ", but in "
                                + (other.getKey().isEmpty()
                                        ? "the public one"
                                        : other.getKey() + " (" + other.getValue() + ")")
                                + ", group " + String.join(" or ", there) + ": see txn.nacos.namespace";
                    }
                }
            }
            return null;
        }

        /** By id; empty when they cannot be asked for. */
        private Map<String, String> namespaces() throws IOException, InterruptedException {
            String answer = answer("/v1/console/namespaces");
            answer = answer == null ? answer("/v3/console/core/namespace/list") : answer;
            Map<String, String> byId = new LinkedHashMap<>();
            if (answer != null) {
                String id = null;
                Matcher fields = FIELD.matcher(answer);
                while (fields.find()) {
                    if (fields.group(1).equals("namespace")) {
                        id = fields.group(2).equals(PUBLIC) ? "" : fields.group(2);
                    } else if (fields.group(1).equals("namespaceShowName") && id != null) {
                        byId.put(id, fields.group(2));
                    }
                }
            }
            return byId;
        }

        /** In which groups of the namespace the service is. */
        private TreeSet<String> groups(String namespace) throws IOException, InterruptedException {
            String about = "pageNo=1&pageSize=50&serviceNameParam=" + encoded(settings.service()) + "&groupNameParam="
                    + "&namespaceId=" + encoded(namespace);
            String answer = answer("/v1/ns/catalog/services?withInstances=false&" + about);
            answer = answer == null ? answer("/v3/admin/ns/service/list?" + about) : answer;
            TreeSet<String> groups = new TreeSet<>();
            if (answer != null) {
                // Each service is an object of its own; the order of its fields is not promised.
                for (String object : answer.split("[{}]")) {
                    Map<String, String> fields = new LinkedHashMap<>();
                    Matcher found = FIELD.matcher(object);
                    while (found.find()) {
                        fields.put(found.group(1), found.group(2));
                    }
                    String group = fields.get("groupName");
                    boolean empty = object.matches("(?s).*\"ipCount\"\\s*:\\s*0\\b.*");
                    if (group != null && settings.service().equals(fields.get("name")) && !empty) {
                        groups.add(group);
                    }
                }
            }
            return groups;
        }

        private String token() throws IOException, InterruptedException {
            if (settings.username() == null || settings.password() == null) {
                return "";
            }
            String form = "username=" + encoded(settings.username()) + "&password=" + encoded(settings.password());
            for (String path : List.of("/v1/auth/login", "/v3/auth/user/login")) {
                HttpResponse<String> answer = http.send(
                        HttpRequest.newBuilder(URI.create(base + path))
                                .timeout(PATIENCE)
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(HttpRequest.BodyPublishers.ofString(form))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                Matcher fields = FIELD.matcher(answer.body());
                while (fields.find()) {
                    if (fields.group(1).equals("accessToken")) {
                        return fields.group(2);
                    }
                }
            }
            return "";
        }

        /** Null when it was not answered well. */
        private @Nullable String answer(String pathAndQuery) throws IOException, InterruptedException {
            String separator = pathAndQuery.indexOf('?') < 0 ? "?" : "&";
            HttpRequest request = HttpRequest.newBuilder(
                            URI.create(base + pathAndQuery + separator + "accessToken=" + encoded(token)))
                    .timeout(PATIENCE)
                    .build();
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            return answer.statusCode() == 200 && answer.body().length() <= MOST_ANSWER ? answer.body() : null;
        }

        private static String encoded(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }
    }
}
