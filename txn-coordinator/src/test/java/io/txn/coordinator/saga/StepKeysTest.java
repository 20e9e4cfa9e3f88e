package io.txn.coordinator.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.protocol.TxnException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StepKeysTest {

    private static final String STEP = "10.0.0.5:8091:77/78";

    @TempDir
    Path directory;

    @Test
    void aKeyFitsItsStepAndNoOther() {
        StepKeys keys = StepKeys.readOrCreate(directory, new SplittableRandom(1));
        String key = keys.key(STEP);
        assertThat(key).matches("[A-Za-z0-9_-]{43}");
        assertThat(keys.fits(STEP, key)).isTrue();
        assertThat(keys.fits("10.0.0.5:8091:77/79", key)).isFalse();
        assertThat(keys.fits(STEP, key.substring(1))).isFalse();
        assertThat(keys.fits(STEP, "")).isFalse();
    }

    @Test
    void keysOutliveARestartAndAreThoseOfOneDirectory(@TempDir Path other) {
        String key = StepKeys.readOrCreate(directory, new SplittableRandom(1)).key(STEP);
        assertThat(StepKeys.readOrCreate(directory, new SplittableRandom(2)).fits(STEP, key))
                .isTrue();
        assertThat(StepKeys.readOrCreate(other, new SplittableRandom(2)).fits(STEP, key))
                .isFalse();
    }

    @Test
    void nobodyElseMayReadTheSecret() throws Exception {
        StepKeys.readOrCreate(directory, new SplittableRandom(1));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("step-secret"))))
                .isEqualTo("rw-------");
    }

    @Test
    void aSecretThatIsNoneIsNotReplaced() throws Exception {
        Files.writeString(directory.resolve("step-secret"), "short");
        assertThatThrownBy(() -> StepKeys.readOrCreate(directory, new SplittableRandom(1)))
                .isInstanceOfSatisfying(
                        TxnException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA_DIR_UNUSABLE));
    }
}
