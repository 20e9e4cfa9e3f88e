package io.txn.samples.saga;

import io.txn.client.saga.Later;
import io.txn.client.saga.SagaStep;
import io.txn.client.saga.Sagas;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** People pack: that takes as long as it takes, and is answered over HTTP. */
@Service
public class Warehouse {

    private final JdbcClient database;
    private final Sagas sagas;

    Warehouse(JdbcClient database, Sagas sagas) {
        this.database = database;
        this.sagas = sagas;
    }

    @SagaStep(name = "warehouse.pack", compensation = "unpack")
    public Later<Parcel> pack(String item) {
        database.sql("INSERT INTO packing (correlation_id, item) VALUES (:id, :item)")
                .param("id", sagas.currentStep().correlationId())
                .param("item", item)
                .update();
        return Later.pending();
    }

    public void unpack(String item) {
        database.sql("DELETE FROM packing WHERE correlation_id = :id")
                .param("id", sagas.currentStep().correlationId())
                .update();
    }

    /** What is to be packed. */
    List<String> open() {
        return database.sql("SELECT correlation_id FROM packing WHERE parcel IS NULL ORDER BY correlation_id")
                .query(String.class)
                .list();
    }

    /** Said twice it does no harm: the saga takes the first answer. */
    void packed(String correlationId, Parcel parcel) {
        int others = database.sql("SELECT COUNT(*) FROM packing WHERE parcel = :parcel AND correlation_id <> :id")
                .param("parcel", parcel.number())
                .param("id", correlationId)
                .query(Integer.class)
                .single();
        if (others > 0) {
            throw new DuplicateParcelException(parcel);
        }
        sagas.complete(correlationId, parcel);
        database.sql("UPDATE packing SET parcel = :parcel WHERE correlation_id = :id")
                .param("parcel", parcel.number())
                .param("id", correlationId)
                .update();
    }
}
