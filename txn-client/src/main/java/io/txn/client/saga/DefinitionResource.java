package io.txn.client.saga;

import io.txn.client.action.Json;
import io.txn.client.action.ValueType;
import io.txn.client.rm.Branch;
import io.txn.client.rm.BranchResource;
import io.txn.client.rm.BranchResult;
import io.txn.protocol.BranchType;
import io.txn.protocol.saga.SagaHead;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers what the coordinator asks the application that has a definition: choices, ends of loops, arguments that must be put together, and that a saga has ended. Thread-safe. */
final class DefinitionResource implements BranchResource {

    private static final Logger log = LoggerFactory.getLogger(DefinitionResource.class);

    private final SagaDefinition<?, ?> definition;
    private final Consumer<SagaEnded<?>> listener;

    DefinitionResource(SagaDefinition<?, ?> definition, Consumer<SagaEnded<?>> listener) {
        this.definition = definition;
        this.listener = listener;
    }

    @Override
    public String resourceId() {
        return Program.resource(definition);
    }

    @Override
    public BranchType branchType() {
        return BranchType.SAGA;
    }

    @Override
    public boolean standsFor(BranchResource other) {
        return other instanceof DefinitionResource same && same.definition == definition;
    }

    @Override
    public BranchResult commit(Branch branch) {
        SagaHead.Called called = branch.called();
        if (called == null) {
            return BranchResult.commitLater("this is asked by a coordinator that drives sagas only");
        }
        try {
            if (called.step().equals(Program.BEGUN)) {
                return done(null);
            }
            if (called.step().equals(Program.ENDED)) {
                tell(branch, true);
                return done(null);
            }
            Program.Question question = definition.program().question(called.step());
            if (question == null) {
                return BranchResult.commitLater(definition.id() + " has no question " + called.step() + " here");
            }
            Map<?, ?> document = Given.document(branch.applicationData());
            String other =
                    Given.otherPlan(document, definition, definition.program().print());
            if (other != null) {
                // As often as it is asked, and of each such saga: the line says all there is.
                log.warn("{} xid={} step={}", other, branch.xid(), called.step());
                return BranchResult.commitLater(other);
            }
            return done(question.answer(document));
        } catch (Program.WrongAnswerException e) {
            log.error("{} xid={}", e.getMessage(), branch.xid());
            return BranchResult.commitImpossible(String.valueOf(e.getMessage()));
        } catch (RuntimeException | Given.UnreadableException | ValueType.UnreadableException e) {
            return BranchResult.commitLater(failed(branch, called, e));
        }
    }

    @Override
    public BranchResult rollback(Branch branch) {
        SagaHead.Called called = branch.called();
        if (called == null || !called.step().equals(Program.BEGUN)) {
            return BranchResult.rollbackLater("nothing of " + definition.id() + " is undone by this");
        }
        try {
            tell(branch, false);
            return BranchResult.rolledBack();
        } catch (RuntimeException | Given.UnreadableException | ValueType.UnreadableException e) {
            return BranchResult.rollbackLater(failed(branch, called, e));
        }
    }

    private static BranchResult done(@Nullable Object json) {
        return BranchResult.committed(new SagaHead.Said(Json.write(json), -1));
    }

    private String failed(Branch branch, SagaHead.Called called, Exception failure) {
        log.warn(
                "a question about a saga could not be answered and is asked again xid={} saga={} step={}",
                branch.xid(),
                definition.id(),
                called.step(),
                failure);
        return failure.toString();
    }

    private void tell(Branch branch, boolean done) throws Given.UnreadableException, ValueType.UnreadableException {
        tell(definition, branch, done);
    }

    private <I> void tell(SagaDefinition<I, ?> about, Branch branch, boolean done)
            throws Given.UnreadableException, ValueType.UnreadableException {
        Map<?, ?> document = Given.document(branch.applicationData());
        Object input;
        try {
            input = ValueType.of(about.input()).fromJson(Given.input(document));
        } catch (ValueType.UnfitException e) {
            throw new AssertionError("checked when it was defined", e);
        }
        if (input == null) {
            throw new Given.UnreadableException("the saga's input is missing");
        }
        SagaEnded<I> ended = new SagaEnded<>(branch.xid(), about.id(), DefinitionResource.<I>cast(input), done);
        about.listeners().forEach(one -> one.accept(ended));
        listener.accept(ended);
    }

    @SuppressWarnings("unchecked") // decoded as that
    private static <I> I cast(Object input) {
        return (I) input;
    }
}
