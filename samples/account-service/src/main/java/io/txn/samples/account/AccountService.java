package io.txn.samples.account;

import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/**
 * Reads, thinks, writes. Inside a global transaction the {@code FOR UPDATE} also waits until no other global
 * transaction is about to undo the balance it reads.
 */
@Service
class AccountService {

    private final AccountMapper accounts;

    AccountService(AccountMapper accounts) {
        this.accounts = accounts;
    }

    @Transactional
    public Account debit(String customer, @Nullable BigDecimal amount) {
        if (amount == null || amount.signum() <= 0) {
            throw new NotPositiveException(amount);
        }
        Account account = accounts.findForUpdate(customer);
        if (account == null) {
            throw new InsufficientFundsException("There is no account of " + customer + ".");
        }
        BigDecimal left = account.balance().subtract(amount);
        if (left.signum() < 0) {
            throw new InsufficientFundsException(
                    customer + " has " + account.balance() + ", which is not enough for " + amount + ".");
        }
        accounts.setBalance(customer, left);
        return new Account(customer, left);
    }

    @Transactional(readOnly = true)
    public List<Account> all() {
        return accounts.findAll();
    }
}
