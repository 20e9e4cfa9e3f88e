package io.txn.spring.propagation;

import io.txn.spring.doctor.Examination;
import io.txn.spring.doctor.Finding;
import java.util.List;
import java.util.Locale;

/** Tells which carriers there are. */
public final class CarriersExamination implements Examination {

    private final Carriers carriers;

    public CarriersExamination(Carriers carriers) {
        this.carriers = carriers;
    }

    @Override
    public String about() {
        return "carriers";
    }

    @Override
    public List<Finding> examine() {
        return carriers.all().stream()
                .map(carrier -> Finding.well(
                        carrier.name(), carrier.way().name().toLowerCase(Locale.ROOT) + ": " + carrier.covers()))
                .toList();
    }
}
