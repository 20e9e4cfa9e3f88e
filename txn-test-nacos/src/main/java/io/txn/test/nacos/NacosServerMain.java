package io.txn.test.nacos;

import com.alibaba.nacos.core.code.ControllerMethodsCache;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.actuate.autoconfigure.security.servlet.ManagementWebSecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.UserDetailsServiceAutoConfiguration;
import org.springframework.boot.web.servlet.ServletComponentScan;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * Nacos' naming server, standalone. Started in a JVM of its own by {@code io.txn.test.NacosServer}, with this package
 * outside of Nacos' own so that only the packages named here are scanned.
 */
@SpringBootApplication(
        scanBasePackages = "com.alibaba.nacos",
        exclude = {
            SecurityAutoConfiguration.class,
            SecurityFilterAutoConfiguration.class,
            UserDetailsServiceAutoConfiguration.class,
            ManagementWebSecurityAutoConfiguration.class
        })
@ServletComponentScan("com.alibaba.nacos")
@EnableScheduling
@Import(OneUser.class)
public class NacosServerMain {

    /** Makes the HTTP API of version 1 known, which otherwise answers 501. */
    @Bean
    SmartInitializingSingleton versionOneApi(ControllerMethodsCache methods) {
        return () -> {
            methods.initClassMethod("com.alibaba.nacos.core.controller");
            methods.initClassMethod("com.alibaba.nacos.naming.controllers");
        };
    }

    /** Arguments: the HTTP port, the directory for everything the server writes, and {@code user:password} where it shall ask for one. */
    public static void main(String[] arguments) {
        String port = arguments[0];
        String home = arguments[1];
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("nacos.standalone", "true");
        properties.put("nacos.home", home);
        properties.put("user.home", home);
        properties.put("nacos.logs.path", home + "/logs");
        properties.put("server.port", port);
        properties.put("server.address", "127.0.0.1");
        properties.put("nacos.server.ip", "127.0.0.1");
        properties.put("server.servlet.contextPath", "/nacos");
        properties.put("server.tomcat.basedir", home + "/tomcat");
        properties.put("server.tomcat.accesslog.enabled", "false");
        properties.put("spring.main.banner-mode", "off");
        if (arguments.length > 2) {
            properties.put("nacos.core.auth.enabled", "true");
            properties.put("nacos.core.auth.system.type", OneUser.NAME);
            properties.put("nacos.core.auth.server.identity.key", "test");
            properties.put("nacos.core.auth.server.identity.value", "test");
            properties.put(OneUser.PROPERTY, arguments[2]);
        }
        properties.forEach(System::setProperty);
        SpringApplication.run(NacosServerMain.class);
    }
}
