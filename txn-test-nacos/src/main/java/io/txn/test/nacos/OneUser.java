package io.txn.test.nacos;

import com.alibaba.nacos.plugin.auth.api.IdentityContext;
import com.alibaba.nacos.plugin.auth.api.Permission;
import com.alibaba.nacos.plugin.auth.api.Resource;
import com.alibaba.nacos.plugin.auth.constant.ActionTypes;
import com.alibaba.nacos.plugin.auth.exception.AccessException;
import com.alibaba.nacos.plugin.auth.spi.server.AuthPluginService;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * One user, for the server's own filters to ask: in the place of the plugin that keeps users in a database, which is not among what is published. It answers in that one's
 * words. Without a user nobody is asked for one.
 */
@RestController
public class OneUser implements AuthPluginService {

    /** Where {@link NacosServerMain} leaves {@code user:password}. */
    static final String PROPERTY = "txn.test.nacos.user";

    static final String NAME = "one-user";

    private static final String TOKEN = "accessToken";
    private static final String ACCESS_KEY = "ak";
    private static final String SIGNED = "data";
    private static final String SIGNATURE = "signature";

    private static String expected() {
        return System.getProperty(PROPERTY, "");
    }

    private static String token() {
        return "t" + Integer.toHexString(expected().hashCode());
    }

    /** In all the places where clients of the different versions look. */
    @PostMapping({"/v1/auth/login", "/v1/auth/users/login", "/v3/auth/user/login"})
    public ResponseEntity<Object> login(@RequestParam String username, @RequestParam String password) {
        if (expected().isEmpty()) {
            return ResponseEntity.notFound().build();
        }
        if (!expected().equals(username + ':' + password)) {
            return ResponseEntity.status(HttpStatus.FORBIDDEN).body("unknown user!");
        }
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put(TOKEN, token());
        answer.put("tokenTtl", 18000);
        answer.put("globalAdmin", true);
        answer.put("username", username);
        return ResponseEntity.ok(answer);
    }

    @Override
    public Collection<String> identityNames() {
        return Arrays.asList(TOKEN, ACCESS_KEY, SIGNED, SIGNATURE);
    }

    @Override
    public boolean enableAuth(ActionTypes action, String type) {
        return !expected().isEmpty();
    }

    @Override
    public boolean validateIdentity(IdentityContext identity, Resource resource) throws AccessException {
        if (!token().equals(identity.getParameter(TOKEN)) && !isSigned(identity)) {
            throw new AccessException("user not found!");
        }
        return true;
    }

    /** User and password are good as access and secret key too: with these, clients sign what they ask for and log in nowhere. */
    private static boolean isSigned(IdentityContext identity) {
        String[] pair = expected().split(":", 2);
        Object data = identity.getParameter(SIGNED);
        if (!pair[0].equals(identity.getParameter(ACCESS_KEY)) || data == null) {
            return false;
        }
        try {
            Mac mac = Mac.getInstance("HmacSHA1");
            mac.init(new SecretKeySpec(pair[1].getBytes(StandardCharsets.UTF_8), "HmacSHA1"));
            byte[] signature = mac.doFinal(data.toString().getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(signature).equals(identity.getParameter(SIGNATURE));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public Boolean validateAuthority(IdentityContext identity, Permission permission) {
        return true;
    }

    @Override
    public String getAuthServiceName() {
        return NAME;
    }
}
