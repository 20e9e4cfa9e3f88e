package io.txn.test.boot;

import io.txn.spring.GlobalTransactional;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.SpringBootVersion;
import org.springframework.core.SpringVersion;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** What the test and the peer call. */
@RestController
final class Entry {

    private final Purchase purchase;
    private final Rows rows;

    Entry(Purchase purchase, Rows rows) {
        this.purchase = purchase;
        this.rows = rows;
    }

    @PostMapping("/purchase/{note}")
    Map<String, String> purchase(
            @PathVariable("note") String note, @RequestParam("peer") int peer, @RequestParam("fail") boolean fail) {
        return purchase.buy(note, peer, fail);
    }

    @PostMapping("/rows/{note}")
    String insert(@PathVariable("note") String note) {
        return rows.insert(note);
    }

    /** What this runs on, and the file that the starter's classes come from. */
    @GetMapping("/about")
    Map<String, String> about() {
        Map<String, String> about = new TreeMap<>();
        about.put("boot", SpringBootVersion.getVersion());
        about.put("spring", String.valueOf(SpringVersion.getVersion()));
        about.put("java", Integer.toString(Runtime.version().feature()));
        about.put("virtual", Boolean.toString(Thread.currentThread().toString().startsWith("VirtualThread")));
        about.put("aot", Boolean.toString(Boolean.getBoolean("spring.aot.enabled")));
        about.put(
                "starter",
                GlobalTransactional.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .getPath());
        return about;
    }

    /** What a restart could leave behind. */
    @GetMapping("/census")
    Map<String, String> census() {
        return Census.take();
    }
}
