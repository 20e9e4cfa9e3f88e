package io.txn.spring.doctor;

import java.util.List;

/** The data sources that have come by so far, each once; complete for the singletons once the application runs. Thread-safe. */
public interface SeenDataSources {

    /** By name. */
    List<SeenDataSource> seen();
}
