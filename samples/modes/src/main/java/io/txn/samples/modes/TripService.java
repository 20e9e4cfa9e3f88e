package io.txn.samples.modes;

import io.txn.spring.GlobalTransactional;
import java.util.List;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Service;

/** One method, three modes, one decision. */
@Service
public class TripService {

    private final Wallet wallet;
    private final Bookings bookings;
    private final JdbcClient trip;
    private final JdbcClient loyalty;

    TripService(
            Wallet wallet,
            Bookings bookings,
            @Qualifier("tripClient") JdbcClient trip,
            @Qualifier("loyaltyClient") JdbcClient loyalty) {
        this.wallet = wallet;
        this.bookings = bookings;
        this.trip = trip;
        this.loyalty = loyalty;
    }

    @GlobalTransactional(name = "trip")
    public List<String> book(String customer, boolean soldOut) {
        String hotel = bookings.book(customer, "hotel");
        wallet.hold(customer, 200);
        loyalty.sql("UPDATE points SET points = points + 20 WHERE customer = ?")
                .param(customer)
                .update();
        if (soldOut) {
            throw new IllegalStateException("no seat on the train");
        }
        return List.of(hotel, bookings.book(customer, "train"));
    }

    /** What there is now. */
    Standing standing(String customer) {
        return new Standing(
                number(trip, "SELECT balance FROM wallet WHERE customer = ?", customer),
                number(trip, "SELECT held FROM wallet WHERE customer = ?", customer),
                number(trip, "SELECT COUNT(*) FROM booking WHERE customer = ?", customer),
                number(loyalty, "SELECT points FROM points WHERE customer = ?", customer));
    }

    /**
     * What a customer has.
     *
     * @param held of the balance, for trips that are not decided
     */
    record Standing(int balance, int held, int bookings, int points) {}

    private static int number(JdbcClient database, String sql, String customer) {
        return database.sql(sql).param(customer).query(Integer.class).single();
    }
}
