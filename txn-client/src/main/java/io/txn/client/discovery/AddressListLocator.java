package io.txn.client.discovery;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** A fixed list of coordinators. Immutable. */
public final class AddressListLocator implements CoordinatorLocator {

    private final List<HostPort> addresses;

    private AddressListLocator(List<HostPort> addresses) {
        this.addresses = addresses;
    }

    /**
     * A locator of the coordinators at {@code addresses}, each {@code host:port}. Repeated ones count once; blank ones not at all.
     *
     * @throws TxnException {@link ErrorCode#COORDINATOR_NOT_CONFIGURED} when none is given, {@link ErrorCode#BAD_CONFIGURATION} when one
     *     is not an address
     */
    public static AddressListLocator of(List<String> addresses) {
        Set<HostPort> parsed = new LinkedHashSet<>();
        for (String text : addresses) {
            if (!text.isBlank()) {
                parsed.add(parse(text));
            }
        }
        if (parsed.isEmpty()) {
            throw new TxnException(ErrorCode.COORDINATOR_NOT_CONFIGURED, null);
        }
        return new AddressListLocator(List.copyOf(parsed));
    }

    private static HostPort parse(String text) {
        try {
            return HostPort.parse(text);
        } catch (TxnException e) {
            throw new TxnException(
                    ErrorCode.BAD_CONFIGURATION,
                    null,
                    "key",
                    "txn.coordinator.address",
                    "value",
                    text,
                    "problem",
                    e.facts().get("problem"));
        }
    }

    @Override
    public List<HostPort> current() {
        return addresses;
    }

    @Override
    public void onChange(Consumer<List<HostPort>> listener) {
        // The list never changes.
    }

    @Override
    public String description() {
        return "addresses " + addresses;
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
