package io.txn.samples.tcc;

import io.txn.spring.GlobalTransactional;
import org.springframework.stereotype.Service;

/** Each call tries; what was tried is confirmed when the method returns, and cancelled when it throws. */
@Service
public class TicketService {

    private static final int PRICE = 40;

    private final Seats seats;
    private final Wallet wallet;

    TicketService(Seats seats, Wallet wallet) {
        this.seats = seats;
        this.wallet = wallet;
    }

    @GlobalTransactional(name = "buy tickets")
    public void buy(String customer, int count) {
        seats.keep(count);
        wallet.hold(customer, count * PRICE);
    }
}
