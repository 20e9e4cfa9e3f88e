package io.txn.client.statelang;

import io.txn.client.action.FailureText;
import io.txn.client.action.Json;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.client.saga.SagaEnded;
import io.txn.client.statelang.State.Status;
import io.txn.protocol.BranchType;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.saga.SagaHead;
import io.txn.protocol.saga.SagaPlan;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Does what the states of one machine, and of the machines in it, say: calls services and their compensations, chooses ways. Thread-safe.
 *
 * <p>There is no fence: as with Seata's engine, a service is called again when its answer was lost, its compensation may come although it never was there, and it is the services that cope with both. XID and branch id,
 * which {@code $Sequence} gives, are the same in each call of one execution.
 */
final class MachineResource implements BranchResource {

    private static final Logger log = LoggerFactory.getLogger(MachineResource.class);

    private static final String TOO_LARGE = "more than " + SagaPlan.LONGEST_RESULT + " bytes";

    private final StateMachine owner;
    private final Machines machines;

    /** The machines that are known here. */
    interface Machines {
        @Nullable
        StateMachine find(String id);

        ServiceMethod method(StateMachine machine, State.Task task);

        Services services();

        /** Told at least once of each end; what it throws has it told again. */
        void ended(SagaEnded<?> ended);
    }

    MachineResource(StateMachine owner, Machines machines) {
        this.owner = owner;
        this.machines = machines;
    }

    @Override
    public String resourceId() {
        return MachinePlan.resource(owner);
    }

    @Override
    public BranchType branchType() {
        return BranchType.SAGA;
    }

    @Override
    public boolean standsFor(BranchResource other) {
        return other instanceof MachineResource same && same.owner == owner;
    }

    /** A call, and where in a machine it stands. */
    private record Called(
            Branch branch, int attempt, Envelope.Sent sent, StateMachine machine, String prefix, String name) {

        /** The name of the state. */
        State state() throws Envelope.UnreadableException {
            int dot = name.indexOf('.');
            State state = machine.find(dot < 0 ? name : name.substring(0, dot));
            if (state == null) {
                throw new Envelope.UnreadableException(machine.id() + " has no state " + name + " here");
            }
            return state;
        }

        Map<String, @Nullable Object> variables() {
            return sent.variables(machine, prefix);
        }

        String sequence() {
            return branch.xid().value() + "-" + branch.id().value();
        }

        boolean isForward() {
            return machine.recovery() == StateMachine.Recovery.FORWARD;
        }
    }

    private Called called(Branch branch) throws Envelope.UnreadableException {
        SagaHead.Called called = branch.called();
        if (called == null) {
            throw new Envelope.UnreadableException("this is asked by a coordinator that drives sagas only");
        }
        Envelope.Sent sent = Envelope.read(branch.applicationData());
        StateMachine machine = pinned(sent.envelope().machine());
        String step = called.step();
        String prefix = step.substring(0, step.lastIndexOf('/') + 1);
        return new Called(branch, called.attempt(), sent, machine, prefix, step.substring(prefix.length()));
    }

    /** The machine in just these words; an instance with others leaves it to another one. */
    private StateMachine pinned(Envelope.Pinned wanted) throws Envelope.UnreadableException {
        StateMachine machine = machines.find(wanted.id());
        if (machine == null || !machine.digest().equals(wanted.digest())) {
            throw new Envelope.UnreadableException(
                    "this instance has " + (machine == null ? "no " : "another text of ") + wanted.id());
        }
        return machine;
    }

    private static BranchResult done(@Nullable Object json) {
        return BranchResult.committed(new SagaHead.Said(Json.write(json), -1));
    }

    @Override
    public BranchResult commit(Branch branch) {
        try {
            Called call = called(branch);
            if (call.name.equals(MachinePlan.BEGUN)) {
                return done(null);
            } else if (call.name.equals(MachinePlan.END)) {
                if (call.prefix.isEmpty()) {
                    tell(call, true);
                }
                return end(call);
            }
            State state = call.state();
            if (state instanceof State.Task task) {
                return call.name.endsWith(MachinePlan.NEXT) ? next(call, task) : act(call, task);
            } else if (state instanceof State.Machine inner) {
                return call.name.endsWith(MachinePlan.BEGIN) ? begin(call, inner) : over(call, inner);
            } else if (state instanceof State.Choosing choosing) {
                return choose(call, choosing);
            } else if (state instanceof State.Fail fail) {
                return BranchResult.commitImpossible(fail.told());
            }
            return BranchResult.commitLater("nothing is done in state " + state.name());
        } catch (Expression.FailedException e) {
            return BranchResult.commitImpossible(String.valueOf(e.getMessage()));
        } catch (Envelope.UnreadableException | RuntimeException e) {
            log.warn(
                    "a state of a machine could not be carried out and may be tried again xid={} machine={}",
                    branch.xid(),
                    owner.id(),
                    e);
            return BranchResult.commitLater(FailureText.of(e));
        }
    }

    private void tell(Called call, boolean done) {
        machines.ended(new SagaEnded<>(
                call.branch.xid(),
                call.machine.id(),
                Collections.unmodifiableMap(call.sent.envelope().variables()),
                done));
    }

    // Ways

    private static BranchResult end(Called call) {
        String text = Json.write(new Answered(Status.SU, call.variables(), null, null).toJson());
        if (fits(text)) {
            return BranchResult.committed(new SagaHead.Said(text, -1));
        }
        // All was done, so the end does not fail: whoever needs these variables does.
        String problem = "the variables that " + call.machine.id() + " ends with have " + TOO_LARGE;
        log.error("{} {} xid={}", ErrorCode.SAGA_TOO_LARGE.id(), problem, call.branch.xid());
        return done(new Answered(Status.SU, Map.of(), null, problem).toJson());
    }

    /** Done, unless that is too much; calling again would not make it less. */
    private static BranchResult kept(String what, Object json) {
        String text = Json.write(json);
        return fits(text)
                ? BranchResult.committed(new SagaHead.Said(text, -1))
                : BranchResult.commitImpossible(ErrorCode.SAGA_TOO_LARGE.id() + " " + what + " has " + TOO_LARGE);
    }

    private static boolean fits(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length <= SagaPlan.LONGEST_RESULT;
    }

    private static BranchResult way(Called call, @Nullable String target) {
        return done(MachinePlan.entry(call.prefix, call.machine.next(target)));
    }

    private static BranchResult next(Called call, State.Task task) throws Envelope.UnreadableException {
        if (!(call.sent.results().get(call.prefix + task.name()) instanceof Map<?, ?> answered)) {
            // Given up by an operator, who did by hand what it was to do.
            return way(call, task.next());
        }
        String failure = Answered.failure(answered);
        if (failure != null) {
            return BranchResult.commitImpossible(failure);
        }
        return way(call, answered.get(Answered.NEXT) instanceof String next ? next : task.next());
    }

    private static BranchResult choose(Called call, State.Choosing choosing) throws Expression.FailedException {
        Map<String, @Nullable Object> variables = call.variables();
        for (State.Option option : choosing.options()) {
            try {
                if (Expression.truth(option.expression().on(variables))) {
                    return way(call, option.next());
                }
            } catch (Expression.FailedException e) {
                throw new Expression.FailedException(option.text() + ": " + e.getMessage());
            }
        }
        return choosing.otherwise() == null
                ? BranchResult.commitImpossible("none of the Choices of " + choosing.name() + " is true")
                : way(call, choosing.otherwise());
    }

    private BranchResult begin(Called call, State.Machine inner)
            throws Expression.FailedException, Envelope.UnreadableException {
        Envelope outer = call.sent.envelope();
        Envelope.Pinned pinned = outer.machines().get(inner.name());
        if (pinned == null) {
            throw new Envelope.UnreadableException("the saga was started without a machine in state " + inner.name());
        }
        pinned(pinned);
        Map<String, @Nullable Object> variables = call.variables();
        Map<String, @Nullable Object> undo = Map.of();
        if (inner.compensation() != null
                && call.machine.state(inner.compensation()) instanceof State.UndoMachine undoing) {
            undo = undoing.input().on(variables, call.sequence());
        }
        Envelope started = new Envelope(
                pinned, outer.machinesIn(inner.name()), inner.input().on(variables, call.sequence()), undo);
        return kept("the Input of " + inner.name(), started.toJson());
    }

    private static BranchResult over(Called call, State.Machine inner) throws Expression.FailedException {
        String end = call.prefix + inner.name() + "/" + MachinePlan.END;
        Object ended = call.sent.results().get(end);
        String failure = Answered.failure(ended);
        if (failure != null) {
            return BranchResult.commitImpossible(ErrorCode.SAGA_TOO_LARGE.id() + " " + inner.name() + ": " + failure);
        }
        Map<String, @Nullable Object> outputs = outputs(inner.output(), Envelope.outputs(ended), call.sequence());
        return kept("the Output of " + inner.name(), new Answered(Status.SU, outputs, null, null).toJson());
    }

    private static Map<String, @Nullable Object> outputs(
            Map<String, Template> output, @Nullable Object root, String sequence) throws Expression.FailedException {
        Map<String, @Nullable Object> outputs = new LinkedHashMap<>();
        for (Map.Entry<String, Template> one : output.entrySet()) {
            outputs.put(one.getKey(), one.getValue().on(root, sequence));
        }
        return outputs;
    }

    // Services

    private BranchResult act(Called call, State.Task task) throws Expression.FailedException {
        ServiceMethod method = machines.method(call.machine, task);
        @Nullable Object[] arguments;
        try {
            arguments = arguments(call, task, method, call.variables());
        } catch (UnfitInputException e) {
            return BranchResult.commitImpossible(String.valueOf(e.getMessage()));
        }
        Object answer;
        try {
            answer = machines.services().call(method.service(), method.method(), arguments);
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Services.NotCalledException e) {
            log.warn(
                    "a service of a state machine could not be called xid={} machine={} state={}",
                    call.branch.xid(),
                    call.machine.id(),
                    task.name(),
                    e);
            return BranchResult.commitLater(FailureText.of(e));
        } catch (Throwable e) {
            return failed(call, task, e);
        }
        Object tree;
        Status status;
        Map<String, @Nullable Object> outputs = new LinkedHashMap<>();
        try {
            tree = task.output().isEmpty() && task.statuses().isEmpty() ? null : Trees.of(answer);
            status = status(task, null, tree);
            if (status == null) {
                String problem = "its result matches none of its Status";
                return unsuccessful(call, task, task.updates() ? Status.UN : Status.FA, problem, null);
            }
            // As Seata's engine: no result, no outputs.
            if (tree != null) {
                outputs = outputs(task.output(), tree, call.sequence());
            }
        } catch (Trees.MisfitException | Expression.FailedException e) {
            return lost(call, task, "its result cannot be kept: " + e.getMessage());
        }
        String text = Json.write(new Answered(status, outputs, null, null).toJson());
        return fits(text)
                ? BranchResult.committed(new SagaHead.Said(text, -1))
                : lost(call, task, ErrorCode.SAGA_TOO_LARGE.id() + " its Output has " + TOO_LARGE);
    }

    /** What a state gives is none that its service takes: the service was not called. */
    private static final class UnfitInputException extends Exception {

        private static final long serialVersionUID = 1L;

        UnfitInputException(String problem) {
            super(problem, null, false, false);
        }
    }

    private static @Nullable Object[] arguments(
            Called call, State.Task task, ServiceMethod method, Map<String, @Nullable Object> variables)
            throws UnfitInputException {
        try {
            List<@Nullable Object> given = new ArrayList<>();
            for (Template template : task.input()) {
                given.add(template.on(variables, call.sequence()));
            }
            return method.arguments(given);
        } catch (Expression.FailedException | Trees.MisfitException e) {
            throw new UnfitInputException("the Input of " + task.name() + " is none: " + e.getMessage());
        }
    }

    /** @return null when no rule says */
    private static @Nullable Status status(State.Task task, @Nullable Throwable thrown, @Nullable Object tree)
            throws Expression.FailedException {
        for (State.StatusRule rule : task.statuses()) {
            Expression expression = rule.expression();
            boolean matches = expression == null
                    ? thrown != null && isA(thrown, String.valueOf(rule.exception()))
                    : thrown == null && Expression.truth(expression.on(tree));
            if (matches) {
                return rule.status();
            }
        }
        return task.statuses().isEmpty() && thrown == null ? Status.SU : null;
    }

    /** By name: what a definition names is not loaded. */
    private static boolean isA(Throwable thrown, String name) {
        for (Class<?> type = thrown.getClass(); type != null; type = type.getSuperclass()) {
            if (type.getName().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOfTheNetwork(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof java.net.SocketException
                    || cause instanceof java.net.SocketTimeoutException
                    || cause instanceof java.net.UnknownHostException) {
                return true;
            }
        }
        return false;
    }

    private static BranchResult failed(Called call, State.Task task, Throwable thrown)
            throws Expression.FailedException {
        log.warn(
                "a service of a state machine failed xid={} branchId={} machine={} state={} attempt={}",
                call.branch.xid(),
                call.branch.id(),
                call.machine.id(),
                task.name(),
                call.attempt,
                thrown);
        String failure = task.name() + " failed: " + FailureText.of(thrown);
        for (State.Retrying retry : task.retries()) {
            boolean meant = retry.exceptions().isEmpty()
                    ? isOfTheNetwork(thrown)
                    : retry.exceptions().stream().anyMatch(name -> isA(thrown, name));
            if (meant && call.attempt <= retry.most()) {
                return BranchResult.commitLater(failure);
            } else if (meant) {
                break;
            }
        }
        Status named = status(task, thrown, null);
        Status status = named != null ? named : task.updates() ? Status.UN : Status.FA;
        for (State.Catching one : task.catches()) {
            if (one.exceptions().stream().anyMatch(name -> isA(thrown, name))) {
                return caught(call, task, one, status, failure);
            }
        }
        return status == Status.SU
                ? done(new Answered(status, Map.of(), null, null).toJson())
                : unsuccessful(call, task, status, failure, null);
    }

    private static BranchResult caught(Called call, State.Task task, State.Catching by, Status status, String failure) {
        State next = call.machine.next(by.next());
        if (next instanceof State.Fail fail) {
            return unsuccessful(call, task, status, fail.told() + ", because " + failure, fail);
        } else if (next instanceof State.Trigger trigger) {
            String cause = MachinePlan.cause(call.machine, trigger) + ", because " + failure;
            return done(new Answered(status, Map.of(), null, cause).toJson());
        }
        return done(new Answered(status, Map.of(), by.next(), null).toJson());
    }

    /**
     * What is to come of a state that has not succeeded, and leads nowhere else, is the machine's to say.
     *
     * @param end the Fail state that it leads to; null: none
     */
    private static BranchResult unsuccessful(
            Called call, State.Task task, Status status, String failure, State.@Nullable Fail end) {
        boolean again = call.isForward()
                || end == null
                        && call.machine.recovery() == StateMachine.Recovery.WHILE_IN_TIME
                        && (status == Status.UN || MachinePlan.mayHaveChanged(call.machine, task));
        if (task.async()) {
            // Its one attempt is used up; only what did nothing for sure is not compensated.
            return status == Status.FA ? BranchResult.commitImpossible(failure) : BranchResult.commitLater(failure);
        }
        if (again) {
            return BranchResult.commitLater(failure);
        }
        return MachinePlan.isAsking(task)
                ? done(new Answered(status, Map.of(), null, failure).toJson())
                : BranchResult.commitImpossible(failure);
    }

    /** Calling again does not mend it. */
    private static BranchResult lost(Called call, State.Task task, String failure) {
        log.error("{} xid={} machine={} state={}", failure, call.branch.xid(), call.machine.id(), task.name());
        String text = task.name() + ": " + failure;
        return MachinePlan.isAsking(task) && !call.isForward()
                ? done(new Answered(Status.UN, Map.of(), null, text).toJson())
                : BranchResult.commitImpossible(text);
    }

    // Compensations

    @Override
    public BranchResult rollback(Branch branch) {
        try {
            Called call = called(branch);
            if (call.name.equals(MachinePlan.BEGUN)) {
                tell(call, false);
                return BranchResult.rolledBack();
            }
            return call.name.equals(MachinePlan.END) ? BranchResult.rolledBack() : undo(call, call.state());
        } catch (VirtualMachineError e) {
            throw e;
        } catch (Throwable e) {
            log.warn(
                    "a compensation of a state machine failed and is tried again xid={} machine={}",
                    branch.xid(),
                    owner.id(),
                    e);
            return BranchResult.rollbackLater(FailureText.of(e));
        }
    }

    private BranchResult undo(Called call, State state) throws Throwable {
        Map<String, @Nullable Object> answered = call.sent.result();
        if (!(state instanceof State.Task task) || !task.updates()) {
            return BranchResult.rolledBack();
        }
        if (answered != null && Status.FA.name().equals(answered.get(Answered.STATUS))) {
            return BranchResult.rolledBack(); // it did nothing
        }
        State.Task undoing = MachineCheck.compensation(call.machine, task);
        if (undoing == null) {
            return BranchResult.rollbackImpossible(
                    "state " + task.name() + " changes something (IsForUpdate), and has no CompensateState");
        }
        Map<String, @Nullable Object> variables = call.variables();
        if (answered != null) {
            variables.putAll(Envelope.outputs(answered));
        }
        variables.putAll(call.sent.envelope().undo());
        ServiceMethod method = machines.method(call.machine, undoing);
        @Nullable Object[] arguments;
        try {
            arguments = arguments(call, undoing, method, variables);
        } catch (UnfitInputException e) {
            return BranchResult.rollbackImpossible(String.valueOf(e.getMessage()));
        }
        Object answer;
        try {
            answer = machines.services().call(method.service(), method.method(), arguments);
        } catch (Services.NotCalledException e) {
            throw e;
        } catch (Exception e) {
            // What the service threw, and nothing else: its Status says what that means.
            if (status(undoing, e, null) != Status.SU) {
                throw e;
            }
            return BranchResult.rolledBack();
        }
        Status status;
        try {
            status = status(undoing, null, undoing.statuses().isEmpty() ? null : Trees.of(answer));
        } catch (Trees.MisfitException | Expression.FailedException e) {
            return BranchResult.rollbackLater(
                    "the result of " + undoing.name() + " does not say whether it is undone: " + e.getMessage());
        }
        return status == Status.SU
                ? BranchResult.rolledBack()
                : BranchResult.rollbackLater("the result of " + undoing.name() + " says that it is not undone");
    }
}
