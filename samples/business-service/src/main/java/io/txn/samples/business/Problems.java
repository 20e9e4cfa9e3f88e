package io.txn.samples.business;

import feign.FeignException;
import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.client.ResourceAccessException;
import org.springframework.web.client.RestClientException;
import org.springframework.web.client.RestClientResponseException;

/**
 * What the customer is told when a purchase fails: the reason of the service that refused, or who could not be reached.
 */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class Problems {

    @ExceptionHandler
    ProblemDetail refused(RestClientResponseException refusal) {
        return problem(refusal.getStatusCode(), reason(refusal), refusal);
    }

    /** A server may refuse what never reaches the service, such as a slash in a product's name, and says so in HTML. */
    private static @Nullable String reason(RestClientResponseException refusal) {
        try {
            ProblemDetail reason = refusal.getResponseBodyAs(ProblemDetail.class);
            return reason == null ? null : reason.getDetail();
        } catch (RestClientException e) {
            return null;
        }
    }

    @ExceptionHandler
    ProblemDetail notAPurchase(NotAPurchaseException problem) {
        return problem(HttpStatus.BAD_REQUEST, problem.getMessage(), problem);
    }

    @ExceptionHandler
    ProblemDetail notReadable(HttpMessageNotReadableException problem) {
        return problem(
                HttpStatus.BAD_REQUEST,
                "A purchase is JSON like {\"customer\":\"alice\",\"product\":\"keyboard\",\"quantity\":2}.",
                problem);
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
        boolean badKey = failure.code() == ErrorCode.BAD_IDEMPOTENCY_KEY;
        return problem(badKey ? HttpStatus.BAD_REQUEST : HttpStatus.SERVICE_UNAVAILABLE, reason, failure);
    }

    private static ProblemDetail problem(HttpStatusCode status, @Nullable String reason, Exception failure) {
        return ProblemDetail.forStatusAndDetail(status, reason == null ? String.valueOf(failure.getMessage()) : reason);
    }
}
