package io.txn.coordinator.app.registration;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Eureka, by three calls of its REST interface: register, renew every ten seconds, cancel. A server that knows this instance no more says so when it is renewed. */
public final class EurekaRegistry implements Registry {

    private static final int RENEW_SECONDS = 10;
    private static final int LEASE_SECONDS = 30;

    private final List<String> urls;
    private final String service;
    private final HttpTalk talk;
    private @Nullable String path;
    private int looks;

    /** @param urls of its servers, {@code http://host:8761/eureka}; a user and password before the host are sent as they are */
    public EurekaRegistry(List<String> urls, String service) {
        this.urls = List.copyOf(urls);
        this.service = service;
        this.talk = new HttpTalk(urls.stream()
                .map(url -> url.endsWith("/") ? url.substring(0, url.length() - 1) : url)
                .toList());
    }

    @Override
    public void join(Advertised self) throws IOException, InterruptedException {
        String application = service.toUpperCase(Locale.ROOT);
        String id = service + ':' + self.address();
        String body = "{\"instance\":{\"instanceId\":" + HttpTalk.quoted(id)
                + ",\"app\":" + HttpTalk.quoted(application)
                + ",\"hostName\":" + HttpTalk.quoted(self.host())
                + ",\"ipAddr\":" + HttpTalk.quoted(self.host())
                + ",\"vipAddress\":" + HttpTalk.quoted(service)
                + ",\"status\":\"UP\",\"port\":{\"$\":" + self.port() + ",\"@enabled\":\"true\"}"
                + ",\"securePort\":{\"$\":443,\"@enabled\":\"false\"}"
                + ",\"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"}"
                + ",\"leaseInfo\":{\"renewalIntervalInSecs\":" + RENEW_SECONDS + ",\"durationInSecs\":" + LEASE_SECONDS
                + "},\"metadata\":" + HttpTalk.object(self.metadata()) + "}}";
        expect(talk.send("POST", "/apps/" + application, body, Map.of()), 204);
        path = "/apps/" + application + '/' + id.replace("[", "%5B").replace("]", "%5D");
        looks = 0;
    }

    @Override
    public Presence look() throws InterruptedException {
        if (++looks % RENEW_SECONDS != 0) {
            return Presence.LISTED;
        }
        try {
            HttpResponse<String> answer = talk.send("PUT", Objects.requireNonNull(path), null, Map.of());
            if (answer.statusCode() == 404) {
                return Presence.FORGOTTEN;
            }
            if (answer.statusCode() == 200) {
                return Presence.LISTED;
            }
        } catch (IOException e) {
            // Away, as other answers mean too.
        }
        looks = RENEW_SECONDS - 1; // asked again with the next look
        return Presence.AWAY;
    }

    @Override
    public void leave() throws IOException, InterruptedException {
        if (path != null) {
            HttpResponse<String> answer = talk.send("DELETE", path, null, Map.of());
            if (answer.statusCode() != 404) {
                expect(answer, 200);
            }
        }
    }

    private static void expect(HttpResponse<String> answer, int status) throws IOException {
        if (answer.statusCode() != status) {
            throw new IOException("it answers " + answer.statusCode() + ": "
                    + answer.body().strip().lines().limit(1).findFirst().orElse(""));
        }
    }

    @Override
    public void close() {
        // Holds nothing.
    }

    @Override
    public String toString() {
        return service + " at " + Registry.shown(urls);
    }
}
