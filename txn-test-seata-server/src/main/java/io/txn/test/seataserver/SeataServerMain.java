package io.txn.test.seataserver;

import io.seata.server.ServerApplication;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Seata's server as it comes, with its file store in the working directory, logging at WARN to standard output. Started in a JVM of its own by
 * {@code io.txn.test.SeataServer}. Prints {@code ready}.
 */
public final class SeataServerMain {

    private SeataServerMain() {}

    /** Arguments: the TCP port, the HTTP port, and the directory for everything the server writes besides its store. */
    public static void main(String[] arguments) throws Exception {
        String port = arguments[0];
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("user.home", arguments[2]);
        properties.put("server.address", "127.0.0.1");
        properties.put("server.port", arguments[1]);
        properties.put("seata.server.service-port", port);
        properties.put("seata.store.mode", "file");
        properties.put("logging.config", "classpath:seata-test-server-logback.xml");
        properties.put("spring.main.banner-mode", "off");
        properties.forEach(System::setProperty);
        ServerApplication.main(new String[] {"-h", "127.0.0.1", "-p", port});
        System.out.println("ready");
    }
}
