package io.txn.test.boot;

import java.net.URI;
import org.springframework.cloud.openfeign.FeignClient;
import org.springframework.web.bind.annotation.PostMapping;

/** The peer by OpenFeign. The URL here is replaced by that of the call. */
@FeignClient(name = "peer", url = "http://127.0.0.1")
interface FeignPeer {

    @PostMapping
    String insert(URI url);
}
