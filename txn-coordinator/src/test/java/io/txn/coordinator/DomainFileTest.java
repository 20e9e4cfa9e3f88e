package io.txn.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DomainFileTest {

    @TempDir
    private Path directory;

    @Test
    void theDomainIsMadeOnceAndKept() throws IOException {
        String made = DomainFile.readOrCreate(directory, new Random(1));
        assertThat(DomainFile.readOrCreate(directory, new Random(2))).isEqualTo(made);
        assertThat(Files.readString(directory.resolve("domain")).strip()).isEqualTo(made);
    }

    @Test
    void aDraftThatACrashLeftIsWrittenAnew() throws IOException {
        Files.writeString(
                directory.resolve("domain.new"), "a longer text than any name of a domain, cut short by a cr");
        String made = DomainFile.readOrCreate(directory, new Random(1));
        assertThat(Files.readString(directory.resolve("domain"))).isEqualTo(made + "\n");
    }

    @Test
    void aDamagedFileIsNotReplaced() throws IOException {
        Path file = directory.resolve("domain");
        for (byte[] damage : List.of(new byte[0], new byte[36], new byte[] {(byte) 0xff, (byte) 0xfe, 7})) {
            Files.write(file, damage);
            assertThatThrownBy(() -> DomainFile.readOrCreate(directory, new Random(1)))
                    .isInstanceOfSatisfying(
                            TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE))
                    .hasMessageContaining("no name of a lock domain");
            assertThat(Files.readAllBytes(file)).isEqualTo(damage);
        }
    }
}
