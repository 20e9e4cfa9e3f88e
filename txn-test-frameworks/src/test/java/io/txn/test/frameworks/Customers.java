package io.txn.test.frameworks;

import io.txn.test.frameworks.JpaEntities.Customer;
import jakarta.persistence.LockModeType;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import org.springframework.data.jpa.repository.JpaRepository;
import org.springframework.data.jpa.repository.Lock;
import org.springframework.data.jpa.repository.Modifying;
import org.springframework.data.jpa.repository.Query;

/** A repository of Spring Data. */
interface Customers extends JpaRepository<Customer, Long> {

    Customer findByName(String name);

    @Lock(LockModeType.PESSIMISTIC_WRITE)
    Optional<Customer> findLockedByName(String name);

    @Lock(LockModeType.PESSIMISTIC_READ)
    List<Customer> findSharedByActive(boolean active);

    @Modifying
    @Query("UPDATE Customer c SET c.balance = c.balance + :more WHERE c.active = true")
    int reward(BigDecimal more);

    @Modifying(flushAutomatically = true, clearAutomatically = true)
    @Query("UPDATE VERSIONED Customer c SET c.score = 2 WHERE c.name LIKE :pattern")
    int score(String pattern);

    @Modifying
    @Query(value = "UPDATE customer SET balance = 0 WHERE name = ?1", nativeQuery = true)
    int ruin(String name);

    long deleteByNameStartingWith(String prefix);
}
