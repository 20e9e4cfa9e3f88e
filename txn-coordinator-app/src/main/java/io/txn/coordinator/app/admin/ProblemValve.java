package io.txn.coordinator.app.admin;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/** Errors that the server itself finds, such as a request line that is none: they come before any filter, and get the same form. */
final class ProblemValve extends ErrorReportValve {

    @Override
    protected void report(Request request, Response response, @Nullable Throwable throwable) {
        int status = response.getStatus();
        if (status < 400 || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        Problem problem = Problem.of(HttpErrors.code(status), "status", status);
        try {
            response.setContentType("application/json");
            response.setCharacterEncoding(StandardCharsets.UTF_8.name());
            Writer writer = response.getReporter();
            if (writer != null) {
                // All three are constants of ours and a number: nothing in them needs escaping.
                writer.write("{\"code\":\"" + problem.code() + "\",\"message\":\"" + problem.message() + "\",\"fix\":\""
                        + problem.fix() + "\"}");
                response.finishResponse();
            }
        } catch (IOException e) {
            container.getLogger().debug("the caller has gone before it was told of its error", e);
        }
    }
}
