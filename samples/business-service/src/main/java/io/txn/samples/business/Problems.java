package io.txn.samples.business;

import feign.FeignException;
import io.txn.protocol.TxnException;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClientResponseException;

/**
 * What the customer is told when a purchase fails: the reason of the service that refused, or who could not be reached.
 */
@RestControllerAdvice
class Problems {

    @ExceptionHandler
    ProblemDetail refused(RestClientResponseException refusal) {
        ProblemDetail reason = refusal.getResponseBodyAs(ProblemDetail.class);
        return problem(refusal.getStatusCode(), reason == null ? null : reason.getDetail(), refusal);
    }

    @ExceptionHandler
    ProblemDetail refused(FeignException refusal) {
        HttpStatusCode status =
                refusal.status() > 0 ? HttpStatusCode.valueOf(refusal.status()) : HttpStatus.SERVICE_UNAVAILABLE;
        return problem(status, null, refusal);
    }

    @ExceptionHandler
    ProblemDetail notReached(ResourceAccessException failure) {
        return problem(HttpStatus.SERVICE_UNAVAILABLE, null, failure);
    }

    @ExceptionHandler
    ProblemDetail noGlobalTransaction(TxnException failure) {
        Throwable cause = failure.getCause();
        String reason = failure.getMessage() + (cause == null ? "" : ". Because: " + cause.getMessage());
        return problem(HttpStatus.SERVICE_UNAVAILABLE, reason, failure);
    }

    private static ProblemDetail problem(HttpStatusCode status, @Nullable String reason, Exception failure) {
        return ProblemDetail.forStatusAndDetail(status, reason == null ? String.valueOf(failure.getMessage()) : reason);
    }
}
