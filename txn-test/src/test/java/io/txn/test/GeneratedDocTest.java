package io.txn.test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratedDocTest {

    @TempDir
    Path directory;

    Path page;

    @BeforeEach
    void writePage() throws Exception {
        page = Files.writeString(
                directory.resolve("page.md"), "# Title\n<!-- generated: table -->\nold\n<!-- end -->\nrest\n");
    }

    @Test
    void aPageThatSaysTheSamePasses() throws Exception {
        new GeneratedDoc(page, false).check(Files.readString(page));
        new GeneratedDoc(page, false).checkSection("table", "old\n");
    }

    @Test
    void aPageThatSaysSomethingElseFailsAndNamesTheLine() {
        assertThatThrownBy(() -> new GeneratedDoc(page, false).checkSection("table", "new\n"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("line 3 is \"old\" and should be \"new\"")
                .hasMessageContaining("-Dtxn.docs.update=true");
        assertThat(page).content().contains("old");
    }

    @Test
    void aMissingPartFails() {
        assertThatThrownBy(() -> new GeneratedDoc(page, true).checkSection("other", "new\n"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("generated: other");
    }

    @Test
    void updatingWritesWhatShouldBeThere() {
        new GeneratedDoc(page, true).checkSection("table", "new\n");
        assertThat(page).content().isEqualTo("# Title\n<!-- generated: table -->\nnew\n<!-- end -->\nrest\n");

        new GeneratedDoc(directory.resolve("fresh/page.md"), true).check("all\n");
        assertThat(directory.resolve("fresh/page.md")).content().isEqualTo("all\n");
    }
}
