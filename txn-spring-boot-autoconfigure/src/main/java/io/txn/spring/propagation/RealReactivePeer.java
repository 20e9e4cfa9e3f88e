package io.txn.spring.propagation;

import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.springframework.http.server.reactive.ServerHttpRequest;
import org.springframework.http.server.reactive.ServerHttpRequestDecorator;
import org.springframework.util.ReflectionUtils;

/** Who is at the other end of a reactive request's connection, whatever headers made of that: see {@link RealPeer}. In servers other than Netty and Tomcat what the server says. */
final class RealReactivePeer {

    private static final String SERVLETS = "jakarta.servlet.ServletRequest";

    private RealReactivePeer() {}

    /** Null when it is not known. */
    static @Nullable InetAddress of(ServerHttpRequest request) {
        Object server;
        try {
            server = ServerHttpRequestDecorator.getNativeRequest(request);
        } catch (IllegalArgumentException e) {
            return told(request.getRemoteAddress());
        }
        if (is(server.getClass(), SERVLETS)) {
            return Servlets.peer(server);
        }
        // Reactor Netty's request is its connection, and the channel beneath knows nothing of headers.
        Object channel = asked(server, "channel");
        Object peer = channel == null ? asked(server, "remoteAddress") : asked(channel, "remoteAddress");
        return peer instanceof InetSocketAddress address ? told(address) : told(request.getRemoteAddress());
    }

    private static @Nullable InetAddress told(@Nullable InetSocketAddress address) {
        return address == null ? null : address.getAddress();
    }

    private static boolean is(@Nullable Class<?> type, String name) {
        for (Class<?> each = type; each != null; each = each.getSuperclass()) {
            for (Class<?> implemented : each.getInterfaces()) {
                if (implemented.getName().equals(name) || is(implemented, name)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** What a method without parameters says, which its class may show only through an interface; null when there is none. */
    private static @Nullable Object asked(Object of, String method) {
        Method found = ReflectionUtils.findMethod(of.getClass(), method);
        if (found == null) {
            return null;
        }
        ReflectionUtils.makeAccessible(found);
        return ReflectionUtils.invokeMethod(found, of);
    }

    /** Loaded only where the Servlet API is. */
    private static final class Servlets {

        static @Nullable InetAddress peer(Object request) {
            return RealPeer.of((jakarta.servlet.ServletRequest) request);
        }
    }
}
