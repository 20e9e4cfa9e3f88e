package io.txn.samples.saga;

import io.txn.client.saga.SagaStep;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** Parcels go by air or by road. */
@Service
public class Shipping {

    private final JdbcClient database;

    Shipping(JdbcClient database) {
        this.database = database;
    }

    @SagaStep(name = "shipping.send", compensation = "callBack")
    public void send(String parcel, String by) {
        database.sql("INSERT INTO shipment (parcel, way, steps) VALUES (:parcel, :way, 0)")
                .param("parcel", parcel)
                .param("way", by)
                .update();
    }

    public void callBack(String parcel, String by) {
        database.sql("DELETE FROM shipment WHERE parcel = :parcel")
                .param("parcel", parcel)
                .update();
    }

    /** How many stations are behind it. */
    @SagaStep(name = "shipping.follow")
    public int follow(String parcel) {
        database.sql("UPDATE shipment SET steps = steps + 1 WHERE parcel = :parcel")
                .param("parcel", parcel)
                .update();
        return database.sql("SELECT steps FROM shipment WHERE parcel = :parcel")
                .param("parcel", parcel)
                .query(Integer.class)
                .single();
    }

    @SagaStep(name = "shipping.receipt")
    public Receipt receipt(String parcel, int paid) {
        return new Receipt(parcel, paid);
    }
}
