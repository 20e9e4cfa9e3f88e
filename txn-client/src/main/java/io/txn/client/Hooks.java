package io.txn.client;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Those who are told how transactions go. Thread-safe. */
final class Hooks {

    private static final Logger log = LoggerFactory.getLogger(Hooks.class);

    private final List<GlobalTransactionHook> ofAll = new CopyOnWriteArrayList<>();
    private final List<FailureHandler> handlers = new CopyOnWriteArrayList<>();

    void add(GlobalTransactionHook hook) {
        ofAll.add(hook);
    }

    void add(FailureHandler handler) {
        handlers.add(handler);
    }

    void beforeBegin(String name) {
        ofAll.forEach(hook -> hook.beforeBegin(name));
    }

    void afterBegin(TransactionContext transaction) {
        ofAll.forEach(hook -> hook.afterBegin(transaction));
    }

    void beforeCommit(TransactionContext transaction) {
        ofAll.forEach(hook -> hook.beforeCommit(transaction));
        transaction.participation().hooks().forEach(hook -> hook.beforeCommit(transaction));
    }

    void beforeRollback(TransactionContext transaction, Throwable cause) {
        each(transaction, hook -> hook.beforeRollback(transaction, cause));
    }

    void committed(TransactionContext transaction) {
        each(transaction, hook -> hook.afterCommit(transaction));
        completed(transaction, GlobalTransactionHook.Completion.COMMITTED);
    }

    void rolledBack(TransactionContext transaction) {
        each(transaction, hook -> hook.afterRollback(transaction));
        completed(transaction, GlobalTransactionHook.Completion.ROLLED_BACK);
    }

    /** The request for a commit was answered with a problem, or not at all. */
    void notSimplyCommitted(TransactionContext transaction, TxnException problem) {
        if (problem.code() == ErrorCode.COMMIT_INCOMPLETE) {
            tell(handler -> handler.needsAttention(transaction, problem));
            committed(transaction);
        } else if (problem.code().category() == ErrorCode.Category.UNKNOWN_OUTCOME) {
            tell(handler -> handler.outcomeUnknown(transaction, problem));
            completed(transaction, GlobalTransactionHook.Completion.UNKNOWN);
        } else {
            rolledBack(transaction);
        }
    }

    /** Whether anybody wants to hear of what does not simply end. */
    boolean hasHandlers() {
        return !handlers.isEmpty();
    }

    /** It was decided, and its second phase stands still. Its hooks have heard how it ended. */
    void needsAttention(TransactionContext transaction, TxnException problem) {
        tell(handler -> handler.needsAttention(transaction, problem));
    }

    void rollbackNotConfirmed(TransactionContext transaction, TxnException problem) {
        if (problem.code().category() == ErrorCode.Category.OPERATOR) {
            tell(handler -> handler.needsAttention(transaction, problem));
        } else {
            tell(handler -> handler.rollbackNotConfirmed(transaction, problem));
        }
        completed(transaction, GlobalTransactionHook.Completion.UNKNOWN);
    }

    private void completed(TransactionContext transaction, GlobalTransactionHook.Completion completion) {
        each(transaction, hook -> hook.afterCompletion(transaction, completion));
    }

    private void each(TransactionContext transaction, Consumer<GlobalTransactionHook> call) {
        ofAll.forEach(hook -> safely(hook, call));
        transaction.participation().hooks().forEach(hook -> safely(hook, call));
    }

    private void tell(Consumer<FailureHandler> call) {
        handlers.forEach(handler -> safely(handler, call));
    }

    /** What is decided stays so, whoever fails to hear of it. */
    private static <T> void safely(T told, Consumer<T> call) {
        try {
            call.accept(told);
        } catch (RuntimeException | LinkageError | AssertionError e) {
            log.warn("{} failed, which changes nothing", told.getClass().getName(), e);
        }
    }
}
