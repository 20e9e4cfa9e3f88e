package io.txn.coordinator.app.admin;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;

/** Turns whatever goes wrong behind the dispatcher into a {@link Problem}. */
@RestControllerAdvice
final class ProblemAdvice {

    private static final Logger log = LoggerFactory.getLogger(ProblemAdvice.class);

    private final ProblemWriter problems;

    ProblemAdvice(ProblemWriter problems) {
        this.problems = problems;
    }

    @ExceptionHandler
    void coordinatorSaidNo(TxnException exception, HttpServletResponse response) throws IOException {
        int status = Problem.status(exception.code());
        if (status == 503) {
            response.setHeader(HttpHeaders.RETRY_AFTER, "1");
        }
        problems.write(response, status, Problem.of(exception));
    }

    @ExceptionHandler
    void callerHasGone(AsyncRequestNotUsableException exception) {
        log.debug("The caller has gone before it was answered.", exception);
    }

    @ExceptionHandler
    void anythingElse(Exception exception, HttpServletResponse response) throws IOException {
        if (exception instanceof ErrorResponse known) {
            int status = known.getStatusCode().value();
            known.getHeaders().forEach((name, values) -> values.forEach(value -> response.addHeader(name, value)));
            problems.write(
                    response,
                    status,
                    Problem.of(
                            HttpErrors.code(status), "reason", known.getBody().getDetail()));
            return;
        }
        log.error("The admin API could not answer.", exception);
        problems.write(response, 500, Problem.of(ErrorCode.UNEXPECTED_ERROR));
    }
}
