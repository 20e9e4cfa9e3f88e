package io.txn.samples.xa;

import io.txn.spring.GlobalTransactional;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.stereotype.Service;

/** Nobody sees the money in one bank and not in the other: what is written is prepared, and seen once it is decided. */
@Service
public class TransferService {

    private final Bank north;
    private final Bank south;

    TransferService(@Qualifier("north") Bank north, @Qualifier("south") Bank south) {
        this.north = north;
        this.south = south;
    }

    @GlobalTransactional(name = "transfer")
    public void transfer(String from, String to, int amount) {
        north.withdraw(from, amount);
        south.deposit(to, amount);
    }
}
