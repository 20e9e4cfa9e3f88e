package io.txn.coordinator.saga;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP endpoints that the coordinator calls for sagas: those below one of these URLs. Scheme, host and port must be the same, and the path begin with the same whole segments; so {@code https://pay.example/api} allows
 * {@code https://pay.example/api/charges?x=1}, and neither {@code https://pay.example/apis} nor {@code https://pay.example.org/api}. Without any, none is called.
 */
public final class HttpTargets {

    public static final HttpTargets NONE = new HttpTargets(List.of());

    private record Target(String scheme, String host, int port, String path) {}

    private final List<Target> targets;

    private HttpTargets(List<Target> targets) {
        this.targets = targets;
    }

    /** @throws IllegalArgumentException when one is no http or https URL, or has more than scheme, host, port and path */
    public static HttpTargets of(List<String> urls) {
        List<Target> targets = new ArrayList<>();
        for (String url : urls) {
            Target target = read(url, false);
            if (target == null) {
                throw new IllegalArgumentException(url);
            }
            targets.add(target);
        }
        return new HttpTargets(List.copyOf(targets));
    }

    public boolean isEmpty() {
        return targets.isEmpty();
    }

    public boolean allows(String url) {
        Target asked = read(url, true);
        if (asked == null) {
            return false;
        }
        for (Target target : targets) {
            boolean sameServer =
                    target.scheme.equals(asked.scheme) && target.host.equals(asked.host) && target.port == asked.port;
            if (sameServer && (asked.path + '/').startsWith(target.path + '/')) {
                return true;
            }
        }
        return false;
    }

    /** Null for whatever does not say plainly where it leads. */
    private static @Nullable Target read(String url, boolean mayAsk) {
        URI uri;
        try {
            uri = new URI(url);
        } catch (URISyntaxException e) {
            return null;
        }
        String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
        String path = uri.getRawPath() == null ? "" : uri.getRawPath();
        boolean plain = (scheme.equals("http") || scheme.equals("https"))
                && uri.getHost() != null
                && uri.getRawUserInfo() == null
                && uri.getRawFragment() == null
                && (mayAsk || uri.getRawQuery() == null)
                && isPlain(path);
        if (!plain) {
            return null;
        }
        int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
        String trimmed = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        return new Target(scheme, uri.getHost().toLowerCase(Locale.ROOT), port, trimmed);
    }

    /** No way up, however it is written: servers differ in what they make of it. */
    private static boolean isPlain(String path) {
        String lower = path.toLowerCase(Locale.ROOT);
        if (lower.contains("%2e") || lower.contains("%2f") || lower.contains("%5c") || lower.contains("//")) {
            return false;
        }
        for (String segment : path.split("/")) {
            if (segment.equals(".") || segment.equals("..") || segment.contains(";")) {
                return false;
            }
        }
        return true;
    }
}
