package io.txn.coordinator.app.registration;

import com.alibaba.nacos.api.NacosFactory;
import com.alibaba.nacos.api.PropertyKeyConst;
import com.alibaba.nacos.api.exception.NacosException;
import com.alibaba.nacos.api.naming.NamingService;
import com.alibaba.nacos.api.naming.pojo.Instance;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Nacos, in which the coordinator is an ephemeral instance. After a server came back the client library itself registers anew. */
public final class NacosRegistry implements Registry {

    private final Target target;
    private final Path cacheDirectory;
    private @Nullable NamingService naming;
    private @Nullable Instance instance;

    /**
     * Where to register.
     *
     * @param serverAddr {@code host:port}, several separated by commas
     * @param namespace its id; empty is the public one
     */
    public record Target(
            String serverAddr,
            String namespace,
            String group,
            String service,
            String cluster,
            @Nullable String username,
            @Nullable String password,
            @Nullable String accessKey,
            @Nullable String secretKey) {

        /** The same servers, another service. */
        public Target withService(String otherService, String otherGroup, String otherCluster) {
            return new Target(
                    serverAddr,
                    namespace,
                    otherGroup,
                    otherService,
                    otherCluster,
                    username,
                    password,
                    accessKey,
                    secretKey);
        }

        /** Without what is secret. */
        @Override
        public String toString() {
            return service + "@" + group + " at " + Registry.shown(List.of(serverAddr.split(",")))
                    + (namespace.isEmpty() ? "" : " in " + namespace);
        }
    }

    /** @param cacheDirectory for the files of the client library, which it would put into the user's home */
    public NacosRegistry(Target target, Path cacheDirectory) {
        this.target = target;
        this.cacheDirectory = cacheDirectory;
    }

    @Override
    public void join(Advertised self) throws NacosException, IOException {
        Instance joining = new Instance();
        joining.setIp(self.host());
        joining.setPort(self.port());
        joining.setClusterName(target.cluster());
        joining.setEphemeral(true);
        joining.setMetadata(self.metadata());
        try {
            connected().registerInstance(target.service(), target.group(), joining);
        } catch (NacosException e) {
            if (e.getErrCode() != NacosException.NO_RIGHT) {
                throw e;
            }
            throw new IOException(
                    "it refuses the user, the password, the keys or the right to write: " + e.getErrMsg(), e);
        }
        instance = joining;
    }

    @Override
    public Presence look() throws NacosException {
        return "UP".equals(connected().getServerStatus()) ? Presence.LISTED : Presence.AWAY;
    }

    @Override
    public void leave() throws NacosException {
        if (instance != null) {
            connected().deregisterInstance(target.service(), target.group(), instance);
        }
    }

    private NamingService connected() throws NacosException {
        NamingService connected = naming;
        if (connected == null) {
            keepFilesTogether();
            Properties properties = new Properties();
            properties.setProperty(PropertyKeyConst.SERVER_ADDR, target.serverAddr());
            properties.setProperty(PropertyKeyConst.NAMESPACE, target.namespace());
            if (target.username() != null && target.password() != null) {
                properties.setProperty(PropertyKeyConst.USERNAME, target.username());
                properties.setProperty(PropertyKeyConst.PASSWORD, target.password());
            }
            if (target.accessKey() != null && target.secretKey() != null) {
                properties.setProperty(PropertyKeyConst.ACCESS_KEY, target.accessKey());
                properties.setProperty(PropertyKeyConst.SECRET_KEY, target.secretKey());
            }
            properties.setProperty(PropertyKeyConst.NAMING_CACHE_REGISTRY_DIR, cacheDirectory.toString());
            connected = NacosFactory.createNamingService(properties);
            naming = connected;
        }
        return connected;
    }

    /**
     * The client library logs into files of its own and caches under the user's home unless these say otherwise, and knows no other way to be
     * told. Whoever set them keeps them.
     */
    private void keepFilesTogether() {
        Map<String, String> settings = Map.of(
                "nacos.logging.default.config.enabled",
                "false",
                "JM.LOG.PATH",
                cacheDirectory.toString(),
                "JM.SNAPSHOT.PATH",
                cacheDirectory.toString());
        settings.forEach((key, value) -> {
            if (System.getProperty(key) == null) {
                System.setProperty(key, value);
            }
        });
    }

    @Override
    public void close() throws NacosException {
        if (naming != null) {
            naming.shutDown();
        }
    }

    @Override
    public String toString() {
        return target.toString();
    }
}
