package io.txn.spring.doctor;

import io.txn.protocol.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import org.springframework.beans.factory.ListableBeanFactory;

/** Databases that are reached by R2DBC, whose drivers know no branches: nothing that is done through them takes part. Makes no beans. */
public final class ReactiveDatabasesExamination implements Examination {

    private final ListableBeanFactory beanFactory;
    private final Class<?> connections;

    /** @param connections the type of R2DBC's connection factories, of which this class knows nothing */
    public ReactiveDatabasesExamination(ListableBeanFactory beanFactory, Class<?> connections) {
        this.beanFactory = beanFactory;
        this.connections = connections;
    }

    @Override
    public String about() {
        return "reactive database";
    }

    @Override
    public List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        for (String name : beanFactory.getBeanNamesForType(connections, true, false)) {
            findings.add(Finding.problem(
                    ErrorCode.REACTIVE_DATABASE_NOT_COVERED,
                    name,
                    "its changes are NOT undone by global transactions"));
        }
        return findings;
    }
}
