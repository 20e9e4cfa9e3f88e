package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TarTest {

    @TempDir
    Path directory;

    private final ByteArrayOutputStream archive = new ByteArrayOutputStream();

    @Test
    void unpacksFilesDirectoriesAndLinks() throws IOException {
        entry("bin/", '5', 0755, "", "");
        entry("bin/server", '0', 0755, "", "x".repeat(1000));
        entry("lib/lib.so.1", '0', 0644, "", "library");
        entry("lib/lib.so", '2', 0777, "lib.so.1", "");
        unpack();
        assertThat(directory.resolve("bin/server")).hasContent("x".repeat(1000)).isExecutable();
        assertThat(Files.isExecutable(directory.resolve("lib/lib.so.1"))).isFalse();
        assertThat(directory.resolve("lib/lib.so")).isSymbolicLink().hasContent("library");
    }

    @Test
    void refusesEntriesAndLinksThatLeadOutside() {
        entry("../evil", '0', 0644, "", "evil");
        assertThatThrownBy(this::unpack).hasMessageContaining("outside of the archive");
        archive.reset();
        entry("link", '2', 0777, "../../etc", "");
        assertThatThrownBy(this::unpack).hasMessageContaining("leads out of the archive");
    }

    @Test
    void refusesAnArchiveThatIsCutOff() {
        entry("file", '0', 0644, "", "x".repeat(600));
        byte[] whole = archive.toByteArray();
        for (int length : new int[] {100, 512, 700}) {
            assertThatThrownBy(() -> Tar.unpack(new ByteArrayInputStream(Arrays.copyOf(whole, length)), directory))
                    .isInstanceOf(EOFException.class);
        }
    }

    private void unpack() throws IOException {
        archive.writeBytes(new byte[1024]);
        Tar.unpack(new ByteArrayInputStream(archive.toByteArray()), directory);
    }

    private void entry(String name, char type, int mode, String link, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 100, String.format("%07o", mode));
        put(header, 124, String.format("%011o", bytes.length));
        header[156] = (byte) type;
        put(header, 157, link);
        archive.writeBytes(header);
        archive.writeBytes(Arrays.copyOf(bytes, (bytes.length + 511) / 512 * 512));
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
