package io.txn.samples.business;

import java.math.BigDecimal;
import java.util.Map;
import java.util.Objects;
import org.springframework.web.client.RestTemplate;

/** The account service, by RestTemplate. */
class AccountClient {

    private final RestTemplate http;

    AccountClient(RestTemplate http) {
        this.http = http;
    }

    record Account(String customer, BigDecimal balance) {}

    Account debit(String customer, BigDecimal amount) {
        Account left =
                http.postForObject("/accounts/{customer}/debit", Map.of("amount", amount), Account.class, customer);
        return Objects.requireNonNull(left, "the account service answered without a body");
    }
}
