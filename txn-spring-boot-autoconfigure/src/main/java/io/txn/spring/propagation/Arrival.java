package io.txn.spring.propagation;

import java.net.InetAddress;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A call that arrives.
 *
 * @param headers all values of a header, whose name is compared without case
 * @param from who is at the other end of the connection; null when that is not known
 */
public record Arrival(
        Function<String, List<String>> headers, @Nullable InetAddress from) {}
