package io.txn.test.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.alibaba.cloud.nacos.NacosServiceManager;
import io.txn.client.discovery.CoordinatorLocator;
import io.txn.client.discovery.NacosLocator;
import org.junit.jupiter.api.Test;
import org.springframework.cloud.client.discovery.DiscoveryClient;

/** With Spring Cloud Alibaba, which is told where Nacos is. Nobody else is told. */
class ApplicationNacosIT {

    @Test
    void anApplicationThatHasItsOwnNacosNeedsNoFurtherKey() throws Exception {
        Servers servers = Servers.start();
        System.setProperty("JM.LOG.PATH", servers.home().resolve("nacos-client").toString());
        System.setProperty(
                "JM.SNAPSHOT.PATH", servers.home().resolve("nacos-client").toString());
        System.setProperty("nacos.logging.default.config.enabled", "false");
        try (var application = Application.start(
                "spring.cloud.nacos.discovery.server-addr=" + servers.nacosAddress(),
                "spring.cloud.nacos.discovery.group=ORDERS",
                "spring.cloud.nacos.discovery.register-enabled=false",
                "eureka.client.enabled=false")) {
            assertThat(application.getBean(CoordinatorLocator.class)).isInstanceOf(NacosLocator.class);
            assertThat(Application.begin(application)).startsWith(servers.coordinatorAddress() + ":");
            assertThat(application.getBean(NacosServiceManager.class))
                    .as("its own client is another one, and there")
                    .isNotNull();
            assertThat(application.getBeansOfType(DiscoveryClient.class)).isNotEmpty();
        }
    }
}
