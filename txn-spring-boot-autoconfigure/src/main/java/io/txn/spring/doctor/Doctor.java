package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Makes all examinations, one after the other. What one of them cannot do is a finding, too. Thread-safe. */
public final class Doctor {

    private final Supplier<List<Examination>> examinations;

    /** @param examinations in the order of the screen; asked for each time */
    public Doctor(Supplier<List<Examination>> examinations) {
        this.examinations = examinations;
    }

    /** Looks at everything now. Blocks on networks and databases for a few seconds at most where they answer slowly. Stops early when the thread is interrupted. */
    public Diagnosis examine() {
        List<Diagnosis.Part> parts = new ArrayList<>();
        for (Examination examination : examinations.get()) {
            if (Thread.currentThread().isInterrupted()) {
                break;
            }
            parts.add(new Diagnosis.Part(examination.about(), findings(examination)));
        }
        return new Diagnosis(parts);
    }

    private static List<Finding> findings(Examination examination) {
        try {
            return examination.examine();
        } catch (RuntimeException | LinkageError e) {
            return List.of(Finding.problem(ErrorCode.EXAMINATION_FAILED, "", String.valueOf(e)));
        }
    }
}
