package io.txn.coordinator.access;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import io.txn.protocol.access.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/** The configured clients, checked and found by what they show. Immutable: changed files make a new one. */
final class Clients {

    private static final String KEY = "txn.coordinator.clients";
    private static final int SHORTEST_TOKEN = 16;
    private static final int LONGEST_TOKEN = 1024;
    private static final int LARGEST_FILE = 64 * 1024;

    /** @param secretKey of the access key */
    private record Holder(Identity identity, Secret secretKey) {}

    private record Subject(Identity identity, List<String> names) {}

    private final Map<String, Identity> byToken = new HashMap<>();
    private final Map<String, Holder> byAccessKey = new HashMap<>();
    private final List<Subject> subjects = new ArrayList<>();

    private Clients() {}

    /**
     * Reads their files and checks them all.
     *
     * @throws TxnException BAD_CONFIGURATION naming the key, or CREDENTIALS_UNUSABLE naming the file
     */
    static Clients of(List<ClientEntry> entries, SeataResourceManagers seataResourceManagers) {
        Clients clients = new Clients();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < entries.size(); i++) {
            ClientEntry entry = entries.get(i);
            String key = KEY + '[' + i + ']';
            check(!entry.name().isBlank() && entry.name().length() <= 128, key + ".name", "it needs a name");
            check(names.add(entry.name()), key + ".name", "two clients are called " + entry.name());
            clients.add(entry, key, seataResourceManagers);
        }
        return clients;
    }

    private void add(ClientEntry entry, String key, SeataResourceManagers seataResourceManagers) {
        check(
                !entry.tokens().isEmpty()
                        || entry.tokenFile() != null
                        || entry.accessKey() != null
                        || !entry.certificates().isEmpty(),
                key,
                "client " + entry.name() + " has no token, token-file, access-key or certificate");
        Identity identity = new Identity(
                entry.name(),
                patterns(entry.applications(), key + ".applications"),
                patterns(entry.resources(), key + ".resources"));
        entry.tokens().forEach(token -> addToken(token.reveal(), identity, key + ".token"));
        if (entry.tokenFile() != null) {
            tokensOf(entry.tokenFile()).forEach(token -> addToken(token, identity, key + ".token-file"));
        }
        check(
                (entry.accessKey() == null) == (entry.secretKey() == null),
                key + ".access-key",
                "access-key and secret-key go together");
        if (entry.accessKey() != null && entry.secretKey() != null) {
            check(
                    !entry.accessKey().isBlank() && !entry.accessKey().equals("null"),
                    key + ".access-key",
                    "it is empty");
            check(!entry.secretKey().reveal().isBlank(), key + ".secret-key", "it is empty");
            check(
                    !entry.applications().isEmpty(),
                    key + ".applications",
                    "they must be stated for an access key, whose digest does not cover the application's name");
            check(
                    seataResourceManagers == SeataResourceManagers.REFUSE
                            || !entry.resources().isEmpty(),
                    key + ".resources",
                    "they must be stated for an access key while txn.coordinator.seata-resource-managers=by-transaction-manager");
            check(
                    byAccessKey.put(entry.accessKey(), new Holder(identity, entry.secretKey())) == null,
                    key + ".access-key",
                    "two clients have the access key " + entry.accessKey());
        }
        if (!entry.certificates().isEmpty()) {
            check(
                    entry.certificates().stream().noneMatch(String::isBlank),
                    key + ".certificate",
                    "one of the subjects is empty");
            subjects.add(new Subject(identity, entry.certificates()));
        }
    }

    private void addToken(String token, Identity identity, String key) {
        check(
                token.length() >= SHORTEST_TOKEN
                        && token.length() <= LONGEST_TOKEN
                        && token.chars().allMatch(c -> c > ' ' && c < 127 && c != ','),
                key,
                "a token has " + SHORTEST_TOKEN + " to " + LONGEST_TOKEN
                        + " visible ASCII characters and no comma (make one with: openssl rand -hex 32)");
        Identity other = byToken.put(fingerprint(token), identity);
        check(other == null || other.equals(identity), key, "another client has the same token");
    }

    private static List<String> tokensOf(Path file) {
        try {
            if (Files.size(file) > LARGEST_FILE) {
                throw unusable(file, null, "it is larger than " + LARGEST_FILE + " bytes");
            }
            List<String> tokens = Files.readString(file, StandardCharsets.ISO_8859_1)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList();
            if (tokens.isEmpty()) {
                throw unusable(file, null, "it holds no token");
            }
            return tokens;
        } catch (IOException e) {
            throw unusable(file, e, "it cannot be read: " + e.getClass().getSimpleName());
        }
    }

    private static TxnException unusable(Path file, @Nullable IOException cause, String reason) {
        return new TxnException(ErrorCode.CREDENTIALS_UNUSABLE, cause, "file", file, "reason", reason);
    }

    private static Patterns patterns(List<String> texts, String key) {
        check(texts.stream().noneMatch(String::isBlank), key, "one of the patterns is empty");
        return new Patterns(texts);
    }

    private static void check(boolean valid, String key, String reason) {
        if (!valid) {
            throw new TxnException(ErrorCode.BAD_CONFIGURATION, null, "key", key, "reason", reason);
        }
    }

    static String fingerprint(String token) {
        return HexFormat.of().formatHex(Secret.fingerprint(token));
    }

    /** Who has the token of this fingerprint. A look-up by fingerprint takes no time that would tell of the token. */
    @Nullable
    Identity byToken(String fingerprint) {
        return byToken.get(fingerprint);
    }

    @Nullable
    Identity byAccessKey(String accessKey) {
        Holder holder = byAccessKey.get(accessKey);
        return holder == null ? null : holder.identity;
    }

    @Nullable
    Secret secretKey(String accessKey) {
        Holder holder = byAccessKey.get(accessKey);
        return holder == null ? null : holder.secretKey;
    }

    /** The first client that accepts the certificate's subject. */
    @Nullable
    Identity byCertificate(X509Certificate certificate) {
        List<String> names = names(certificate);
        for (Subject subject : subjects) {
            for (String accepted : subject.names) {
                if (isSubject(accepted, certificate)
                        || names.stream().anyMatch(name -> Patterns.matches(accepted, name))) {
                    return subject.identity;
                }
            }
        }
        return null;
    }

    private static boolean isSubject(String accepted, X509Certificate certificate) {
        if (accepted.indexOf('=') < 0) {
            return false;
        }
        try {
            return new X500Principal(accepted).equals(certificate.getSubjectX500Principal());
        } catch (IllegalArgumentException e) {
            return false; // it is a pattern with an equals sign in it
        }
    }

    /** Common names, and alternative names that are texts. */
    static List<String> names(X509Certificate certificate) {
        List<String> names = new ArrayList<>();
        try {
            for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    names.add(part.getValue().toString());
                }
            }
            Collection<List<?>> alternatives = certificate.getSubjectAlternativeNames();
            if (alternatives != null) {
                for (List<?> alternative : alternatives) {
                    if (alternative.get(1) instanceof String text) {
                        names.add(text);
                    }
                }
            }
        } catch (InvalidNameException | CertificateParsingException e) {
            // What cannot be read names nobody.
            return List.of();
        }
        return names;
    }
}
