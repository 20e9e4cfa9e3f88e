package io.txn.test.boot;

import java.net.URI;
import org.springframework.web.service.annotation.PostExchange;

/** The peer by an HTTP interface client. */
interface ExchangePeer {

    @PostExchange
    String insert(URI url);
}
