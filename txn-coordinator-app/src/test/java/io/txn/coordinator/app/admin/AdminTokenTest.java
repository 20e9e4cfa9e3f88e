package io.txn.coordinator.app.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AdminTokenTest {

    @TempDir
    Path directory;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private Path file;

    @BeforeEach
    void nameTheFile() {
        file = directory.resolve("admin-token");
    }

    private AdminToken load() {
        return AdminToken.loadOrCreate(
                directory, new SecureRandom(), new PrintStream(printed, true, StandardCharsets.UTF_8));
    }

    private String output() {
        return printed.toString(StandardCharsets.UTF_8);
    }

    @Test
    void theFirstStartMakesATokenPrintsItOnceAndLetsNobodyElseReadIt() throws IOException {
        AdminToken first = load();
        String token = Files.readString(file).strip();
        assertThat(token).matches("[A-Za-z0-9_-]{43}");
        assertThat(output()).contains(token).contains(file.toString());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(first.matches(token)).isTrue();
        try (java.util.stream.Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }

        printed.reset();
        AdminToken second = load();
        assertThat(second.matches(token)).isTrue();
        assertThat(output()).isEmpty();
    }

    @Test
    void twoDirectoriesHaveDifferentTokens() throws IOException {
        load();
        String first = Files.readString(file);
        Files.delete(file);
        load();
        assertThat(Files.readString(file)).isNotEqualTo(first);
    }

    @Test
    void nothingButTheTokenMatches() throws IOException {
        AdminToken token = load();
        String text = Files.readString(file).strip();
        assertThat(token.matches("")).isFalse();
        assertThat(token.matches(text.substring(1))).isFalse();
        assertThat(token.matches(text + "x")).isFalse();
        assertThat(token.matches(text.toLowerCase(java.util.Locale.ROOT))).isFalse();
    }

    @Test
    void aFileThatOthersMayReadIsRefused() throws IOException {
        load();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertUnusable("others than its owner");
    }

    @Test
    void aFileWithoutATokenIsRefused() throws IOException {
        load();
        for (String content : new String[] {"", "short", "x".repeat(42), "with blank ".repeat(5), "é".repeat(50)}) {
            Files.writeString(file, content);
            assertUnusable("does not hold a token");
        }
    }

    private void assertUnusable(String why) {
        assertThatThrownBy(this::load).isInstanceOfSatisfying(TxnException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.ADMIN_TOKEN_UNUSABLE);
            assertThat(e.getMessage()).contains(file.toString()).contains(why);
        });
    }

    @Test
    void aHalfWrittenTokenOfACrashedStartIsReplaced() throws IOException {
        Files.writeString(directory.resolve("admin-token.tmp"), "half");
        load();
        try (java.util.stream.Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }
}
