package io.txn.client.statelang;

import io.txn.client.SagaCalls;
import io.txn.client.action.Json;
import io.txn.client.rm.ResourceManager;
import io.txn.client.saga.SagaEnded;
import io.txn.client.saga.Started;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state machines of an application that were imported from definitions in Seata's state language, and the sagas that it starts with them. Thread-safe.
 *
 * <p>What a machine ends with is a map of all its variables: what it was started with, and what its states put out. When that is more than is kept of a saga, {@link Started#await} throws SAGA_TOO_LARGE, although all was done.
 */
public final class StateMachines {

    private static final Logger log = LoggerFactory.getLogger(StateMachines.class);

    /** The tenant of Seata where nobody names one. */
    private static final String DEFAULT_TENANT = "000001";

    private static final String BUSINESS_KEY = "_business_key_";

    private final SagaCalls calls;
    private final ResourceManager resources;
    private final Services services;
    private final StateMachineOptions options;
    private final Consumer<SagaEnded<?>> listener;
    private final Map<String, Known> known = new ConcurrentHashMap<>();

    private record Known(StateMachine machine, Map<State.Task, ServiceMethod> methods, MachinePlan plan) {}

    /** @param listener is told of ends where {@link StateMachineOptions#announced} says so; what it throws has it told again */
    public StateMachines(
            SagaCalls calls,
            ResourceManager resources,
            Services services,
            StateMachineOptions options,
            Consumer<SagaEnded<?>> listener) {
        this.listener = listener;
        this.calls = calls;
        this.resources = resources;
        this.services = services;
        this.options = options;
    }

    /**
     * Makes machines known, so that they can be started and driven here. Every version that a saga may still be on its way with is to be among them.
     *
     * @throws TxnException STATE_MACHINE_REFUSED when a service is missing or does not fit, a machine in a machine is not there, or two definitions have one name and version
     */
    public void register(Collection<StateMachine> machines) {
        Map<String, StateMachine> all = new LinkedHashMap<>();
        for (StateMachine machine : machines) {
            StateMachine other = all.putIfAbsent(machine.id(), machine);
            if (other != null || known.containsKey(machine.id())) {
                throw Node.refused(
                        machine.source(),
                        "Version",
                        machine.id(),
                        "there is another definition of this name and version"
                                + (other == null ? "" : ": " + other.source()),
                        "another Version for the one that changed");
            }
        }
        Map<String, Known> ready = new LinkedHashMap<>();
        for (StateMachine machine : all.values()) {
            Map<State.Task, ServiceMethod> methods = new LinkedHashMap<>();
            for (State state : machine.states()) {
                if (state instanceof State.Task task) {
                    methods.put(task, ServiceMethod.of(machine, task, services));
                }
            }
            MachinePlan plan = MachinePlan.of(machine, options, name -> newest(name, all.values()));
            ready.put(machine.id(), new Known(machine, methods, plan));
        }
        known.putAll(ready);
        for (StateMachine machine : all.values()) {
            resources.register(new MachineResource(machine, new KnownMachines()));
        }
    }

    private final class KnownMachines implements MachineResource.Machines {
        @Override
        public @Nullable StateMachine find(String id) {
            Known found = known.get(id);
            return found == null ? null : found.machine;
        }

        @Override
        public ServiceMethod method(StateMachine machine, State.Task task) {
            Known found = Objects.requireNonNull(known.get(machine.id()), machine.id());
            return Objects.requireNonNull(found.methods.get(task), task.name());
        }

        @Override
        public Services services() {
            return services;
        }

        @Override
        public void ended(SagaEnded<?> ended) {
            if (options.announced()) {
                listener.accept(ended);
            }
        }
    }

    private static @Nullable StateMachine newest(String name, Collection<StateMachine> among) {
        StateMachine newest = null;
        for (StateMachine machine : among) {
            if (machine.name().equals(name) && (newest == null || machine.number() > newest.number())) {
                newest = machine;
            }
        }
        return newest;
    }

    /**
     * Starts the newest version of a machine. When this returns it is durable at the coordinator, and on its way; {@link Started#await} waits for its end.
     *
     * @param tenant null, or Seata's default one: there are no tenants here
     * @param parameters its variables: scalars, lists, maps, records, or classes with getters
     * @throws TxnException STATE_MACHINE_REFUSED when there is no such machine, or a tenant is named; SAGA_VALUE_UNFIT, BEGIN_FAILED, SAGA_TOO_LARGE: none was started; SAGA_START_UNKNOWN
     */
    public Started<Map<String, @Nullable Object>> start(
            String name, @Nullable String tenant, Map<String, ? extends @Nullable Object> parameters) {
        return begin(name, tenant, null, parameters);
    }

    /** The same for the default tenant. */
    public Started<Map<String, @Nullable Object>> start(
            String name, Map<String, ? extends @Nullable Object> parameters) {
        return begin(name, null, null, parameters);
    }

    /**
     * The same under a key of the business, which counts among those of this application and the machine's name: a repeated start gives the saga of the first one. The machine knows it as {@code _business_key_}.
     *
     * @throws TxnException as without; BAD_IDEMPOTENCY_KEY
     */
    public Started<Map<String, @Nullable Object>> startWithBusinessKey(
            String name,
            @Nullable String tenant,
            String businessKey,
            Map<String, ? extends @Nullable Object> parameters) {
        return begin(name, tenant, businessKey, parameters);
    }

    private Started<Map<String, @Nullable Object>> begin(
            String name,
            @Nullable String tenant,
            @Nullable String key,
            Map<String, ? extends @Nullable Object> parameters) {
        if (tenant != null && !tenant.isBlank() && !tenant.equals(DEFAULT_TENANT)) {
            throw Node.refused(
                    name, null, tenant, "there are no tenants here", "a name of its own for each tenant's machine");
        }
        StateMachine machine =
                newest(name, known.values().stream().map(Known::machine).toList());
        Known found = machine == null ? null : known.get(machine.id());
        if (machine == null || found == null) {
            throw Node.refused(
                    name,
                    null,
                    null,
                    "there is no such state machine here",
                    "one of " + known.keySet().stream().sorted().toList());
        }
        Map<String, @Nullable Object> variables = new LinkedHashMap<>();
        for (Map.Entry<String, ? extends @Nullable Object> one : parameters.entrySet()) {
            try {
                variables.put(one.getKey(), Trees.of(one.getValue()));
            } catch (Trees.MisfitException e) {
                throw new TxnException(
                        ErrorCode.SAGA_VALUE_UNFIT,
                        e,
                        "machine",
                        machine.id(),
                        "value",
                        one.getKey(),
                        "problem",
                        e.getMessage());
            }
        }
        if (key != null) {
            variables.put(BUSINESS_KEY, key);
        }
        Envelope input = new Envelope(Envelope.Pinned.of(machine), found.plan.machines(), variables, Map.of());
        SagaCalls.Start start = calls.start(
                machine.name(), found.plan.encoded(), Json.write(input.toJson()), options.transOperationTimeout(), key);
        log.debug("started a state machine xid={} machine={}", start.xid(), machine.id());
        return new Started<>(start.xid(), machine.id(), calls, StateMachines::ended, start.earlier());
    }

    /** One that was started before, here or elsewhere. */
    public Started<Map<String, @Nullable Object>> find(Xid xid) {
        return new Started<>(xid, "state machine", calls, StateMachines::ended, null);
    }

    /** @throws TxnException SAGA_TOO_LARGE when it ended well, and with more than is kept */
    static Map<String, @Nullable Object> ended(@Nullable String json) {
        try {
            Object said = json == null ? null : Json.readAny(json);
            String failure = Answered.failure(said);
            if (failure != null) {
                throw new TxnException(ErrorCode.SAGA_TOO_LARGE, null, "problem", failure);
            }
            return Envelope.outputs(said);
        } catch (Json.MalformedException e) {
            throw new TxnException(ErrorCode.SAGA_VALUE_UNFIT, e, "value", "result", "problem", e.getMessage());
        }
    }

    /** The machines that are known here, all versions. */
    public List<StateMachine> all() {
        return known.values().stream().map(Known::machine).toList();
    }
}
