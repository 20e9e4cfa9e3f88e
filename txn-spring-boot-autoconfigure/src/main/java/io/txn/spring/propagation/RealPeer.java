package io.txn.spring.propagation;

import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletRequestWrapper;
import java.lang.reflect.Field;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ReflectionUtils;

/**
 * Who is at the other end of a servlet request's connection. What a request says of that may have been taken from headers ({@code X-Forwarded-For}), which anybody can
 * write: by a filter, whose wrapper is looked behind, or in Tomcat by a valve, whose request knows the peer besides. Loaded only where the Servlet API is.
 */
final class RealPeer {

    private static final String TOMCAT = "org.apache.catalina.connector.RequestFacade";

    private RealPeer() {}

    /** Null when it is not known. */
    static @Nullable InetAddress of(ServletRequest request) {
        ServletRequest innermost = request;
        while (innermost instanceof ServletRequestWrapper wrapper) {
            innermost = wrapper.getRequest();
        }
        String told = innermost.getClass().getName().equals(TOMCAT) ? peerOfTomcat(innermost) : null;
        return Peers.address(told == null ? innermost.getRemoteAddr() : told);
    }

    /** Null in a Tomcat that has no such thing, or does not let it be read. */
    private static @Nullable String peerOfTomcat(ServletRequest facade) {
        Field field = ReflectionUtils.findField(facade.getClass(), "request");
        if (field == null) {
            return null;
        }
        try {
            ReflectionUtils.makeAccessible(field);
            Object request = ReflectionUtils.getField(field, facade);
            Method peer = request == null ? null : ReflectionUtils.findMethod(request.getClass(), "getPeerAddr");
            return peer == null ? null : (String) ReflectionUtils.invokeMethod(peer, request);
        } catch (InaccessibleObjectException e) {
            return null;
        }
    }
}
