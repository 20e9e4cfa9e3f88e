package io.txn.protocol.transport;

import io.netty.channel.Channel;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The connections that have not been admitted yet, in the order in which they came. There is a bound for one address and one for all; whoever comes beyond it is let in, and
 * the one that has waited longest has to go. A client registers within milliseconds, so however many strangers come and stay, it is not the one that has waited longest;
 * were newcomers turned away instead, strangers could keep every client out. Thread-safe.
 */
final class WaitingRoom {

    /** Whoever has one IPv6 address has as a rule the 64 bits behind its network's. */
    private static final int NETWORK_BYTES = 8;

    private final int most;
    private final int mostOfAddress;
    private final Map<Channel, InetAddress> waiting = new LinkedHashMap<>();
    private final Map<InetAddress, Set<Channel>> byAddress = new HashMap<>();

    WaitingRoom(int most, int mostOfAddress) {
        this.most = most;
        this.mostOfAddress = mostOfAddress;
    }

    /** Who has to go, and why. */
    record Leaving(Channel channel, String reason) {}

    /** Lets one in; returns another one that has to be closed for it, which is no longer here. */
    synchronized @Nullable Leaving enter(Channel channel) {
        InetAddress address = address(channel.remoteAddress());
        Leaving leaving = null;
        Set<Channel> neighbours = byAddress.get(address);
        if (neighbours != null && neighbours.size() >= mostOfAddress) {
            leaving = first(
                    neighbours,
                    "it has not registered, and of its address no more than " + mostOfAddress + " may wait");
        } else if (waiting.size() >= most) {
            leaving = first(waiting.keySet(), "it has not registered, and no more than " + most + " may wait");
        }
        waiting.put(channel, address);
        byAddress.computeIfAbsent(address, none -> new LinkedHashSet<>()).add(channel);
        return leaving;
    }

    /** The one that has waited longest, no longer here; null: nobody waits. */
    synchronized @Nullable Leaving makeRoom(String why) {
        return waiting.isEmpty() ? null : first(waiting.keySet(), "it has not registered, and " + why);
    }

    private Leaving first(Set<Channel> of, String why) {
        Iterator<Channel> each = of.iterator();
        Channel channel = each.next();
        leave(channel);
        return new Leaving(channel, why);
    }

    /** It has been admitted, or is gone. Returns whether it was here: whoever admits it, or sends it away, is the only one for whom it was. */
    synchronized boolean leave(Channel channel) {
        InetAddress address = waiting.remove(channel);
        if (address != null) {
            Set<Channel> neighbours = byAddress.get(address);
            if (neighbours != null && neighbours.remove(channel) && neighbours.isEmpty()) {
                byAddress.remove(address);
            }
        }
        return address != null;
    }

    private static InetAddress address(@Nullable SocketAddress remote) {
        if (!(remote instanceof InetSocketAddress internet)) {
            return InetAddress.getLoopbackAddress(); // gone already
        }
        InetAddress address = internet.getAddress();
        if (!(address instanceof Inet6Address)) {
            return address;
        }
        byte[] network = address.getAddress();
        Arrays.fill(network, NETWORK_BYTES, network.length, (byte) 0);
        try {
            return InetAddress.getByAddress(network);
        } catch (java.net.UnknownHostException e) {
            throw new AssertionError(e); // of a wrong length, which it is not
        }
    }
}
