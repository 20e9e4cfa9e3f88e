package io.txn.spring.propagation;

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** A request whose asynchronous handling ends with the answer: whoever completes it waits, as a handler that returns does, for what was handed to other threads. */
final class ServletArrival extends HttpServletRequestWrapper {

    private final ServletAnswer answer;
    private volatile @Nullable Ending current;

    ServletArrival(HttpServletRequest request, ServletAnswer answer) {
        super(request);
        this.answer = answer;
    }

    @Override
    public AsyncContext startAsync() {
        return startAsync(this, answer);
    }

    @Override
    public AsyncContext startAsync(ServletRequest request, ServletResponse response) {
        AsyncContext started = super.startAsync(request, response);
        answer.isAsync();
        started.addListener(answer.ending());
        Ending ending = new Ending(started);
        current = ending;
        return ending;
    }

    @Override
    public AsyncContext getAsyncContext() {
        AsyncContext now = super.getAsyncContext();
        Ending ending = current;
        return ending != null && ending.delegate == now ? ending : now;
    }

    /** Ends the answer before it is completed. */
    private final class Ending implements AsyncContext {

        private final AsyncContext delegate;

        Ending(AsyncContext delegate) {
            this.delegate = delegate;
        }

        @Override
        public void complete() {
            try {
                answer.over();
            } catch (IOException e) {
                // Not completed, it ends with the container's time limit, and the connection with it.
                throw new UncheckedIOException(e);
            }
            delegate.complete();
        }

        @Override
        public ServletRequest getRequest() {
            return delegate.getRequest();
        }

        @Override
        public ServletResponse getResponse() {
            return delegate.getResponse();
        }

        @Override
        public boolean hasOriginalRequestAndResponse() {
            return delegate.hasOriginalRequestAndResponse();
        }

        @Override
        public void dispatch() {
            delegate.dispatch();
        }

        @Override
        public void dispatch(String path) {
            delegate.dispatch(path);
        }

        @Override
        public void dispatch(ServletContext context, String path) {
            delegate.dispatch(context, path);
        }

        @Override
        public void start(Runnable run) {
            delegate.start(run);
        }

        @Override
        public void addListener(AsyncListener listener) {
            delegate.addListener(new Listening(listener, this));
        }

        @Override
        public void addListener(AsyncListener listener, ServletRequest request, ServletResponse response) {
            delegate.addListener(new Listening(listener, this), request, response);
        }

        @Override
        public <T extends AsyncListener> T createListener(Class<T> type) throws ServletException {
            return delegate.createListener(type);
        }

        @Override
        public void setTimeout(long timeout) {
            delegate.setTimeout(timeout);
        }

        @Override
        public long getTimeout() {
            return delegate.getTimeout();
        }
    }

    /** A listener of the application's, which shall not get past the end of the answer. */
    private final class Listening implements AsyncListener {

        private final AsyncListener listener;
        private final Ending ending;

        Listening(AsyncListener listener, Ending ending) {
            this.listener = listener;
            this.ending = ending;
        }

        private AsyncEvent within(AsyncEvent event) {
            AsyncContext context = event.getAsyncContext();
            return new AsyncEvent(
                    context == null || context == ending.delegate ? ending : new Ending(context),
                    event.getSuppliedRequest(),
                    event.getSuppliedResponse(),
                    event.getThrowable());
        }

        @Override
        public void onComplete(AsyncEvent event) throws IOException {
            listener.onComplete(within(event));
        }

        @Override
        public void onTimeout(AsyncEvent event) throws IOException {
            listener.onTimeout(within(event));
        }

        @Override
        public void onError(AsyncEvent event) throws IOException {
            listener.onError(within(event));
        }

        @Override
        public void onStartAsync(AsyncEvent event) throws IOException {
            listener.onStartAsync(within(event));
        }
    }

    /** Hears of an end that the container made by itself. */
    interface End extends AsyncListener {

        @Override
        default void onTimeout(AsyncEvent event) {}

        @Override
        default void onError(AsyncEvent event) {}

        @Override
        default void onStartAsync(AsyncEvent event) {}
    }
}
