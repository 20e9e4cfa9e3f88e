package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.protocol.ErrorCode;
import io.txn.test.DatabaseKind;
import io.txn.test.frameworks.JpaEntities.Animal;
import io.txn.test.frameworks.JpaEntities.Cat;
import io.txn.test.frameworks.JpaEntities.Customer;
import io.txn.test.frameworks.JpaEntities.Document;
import io.txn.test.frameworks.JpaEntities.Mood;
import io.txn.test.frameworks.JpaEntities.Order;
import io.txn.test.frameworks.JpaEntities.Parcel;
import io.txn.test.frameworks.JpaEntities.Place;
import io.txn.test.frameworks.JpaEntities.PlaceId;
import io.txn.test.frameworks.JpaEntities.Tag;
import io.txn.test.frameworks.JpaEntities.Ticket;
import io.txn.test.frameworks.JpaEntities.Truck;
import io.txn.test.frameworks.JpaEntities.Vehicle;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.LockModeType;
import jakarta.persistence.OptimisticLockException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.hibernate.SessionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.data.jpa.repository.config.EnableJpaRepositories;
import org.springframework.orm.ObjectOptimisticLockingFailureException;
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** JPA by Hibernate and Spring Data. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class JpaContract {

    private Rig rig;

    abstract DatabaseKind kind();

    /** Settings of Hibernate that change what it sends or when. */
    List<String> properties() {
        return List.of();
    }

    @ImportAutoConfiguration({
        DataSourceAutoConfiguration.class,
        DataJpaRepositoriesAutoConfiguration.class,
        HibernateJpaAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @EntityScan(basePackageClasses = JpaEntities.class)
    @EnableJpaRepositories(basePackageClasses = Customers.class, considerNestedRepositories = true)
    @WithTheStarter
    static class App {}

    @BeforeAll
    void start() {
        List<String> all = new ArrayList<>(List.of(
                "spring.jpa.hibernate.ddl-auto=create",
                "spring.jpa.open-in-view=false",
                "spring.jpa.properties.hibernate.jdbc.batch_size=20",
                "spring.jpa.properties.hibernate.order_inserts=true",
                "spring.jpa.properties.hibernate.order_updates=true"));
        all.addAll(properties());
        rig = Rig.start(App.class, kind(), database -> {}, all.toArray(new String[0]));
        rig.prepare(application -> inTransaction(application, em -> {
            for (String name : List.of("ann", "bob", "cy")) {
                Customer customer = new Customer(name);
                customer.phones.addAll(List.of("1", "2", "3"));
                customer.notes.addAll(List.of("a", "b"));
                customer.order("bread", 1);
                customer.order("milk", 2);
                em.persist(customer);
            }
            for (String name : List.of("red", "green", "blue")) {
                em.persist(new Tag(name));
            }
            for (int i = 0; i < 4; i++) {
                em.persist(new Place(7, "1" + (char) ('A' + i), "nobody"));
                em.persist(new Document(i, "title " + i));
                em.persist(new Parcel(i, "sender " + i, i % 2 == 0 ? null : "fragile"));
                Cat cat = new Cat();
                cat.name = "cat " + i;
                cat.lives = i;
                em.persist(cat);
            }
        }));
    }

    @AfterAll
    void stop() {
        rig.close();
    }

    private static void inTransaction(Application application, Consumer<EntityManager> work) {
        EntityManager em =
                SharedEntityManagerCreator.createSharedEntityManager(application.bean(EntityManagerFactory.class));
        application.bean(TransactionTemplate.class).executeWithoutResult(status -> work.accept(em));
    }

    /** One local transaction that changes something. */
    private void check(Consumer<EntityManager> work) {
        rig.check(1, application -> inTransaction(application, work));
    }

    private static Customer customer(EntityManager em, String name) {
        return em.createQuery("FROM Customer WHERE name = :name", Customer.class)
                .setParameter("name", name)
                .getSingleResult();
    }

    // Keys

    @Test
    void identity() {
        check(em -> {
            List<Long> ids = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Customer customer = new Customer("identity " + i);
                em.persist(customer);
                ids.add(customer.id);
            }
            em.flush();
            em.clear();
            for (int i = 0; i < 5; i++) {
                assertThat(em.find(Customer.class, ids.get(i)).name).isEqualTo("identity " + i);
            }
        });
    }

    @Test
    void sequenceAndOrderedBatches() {
        check(em -> {
            for (String name : List.of("ann", "bob")) {
                Customer customer = customer(em, name);
                for (int i = 0; i < 25; i++) {
                    customer.order("batch " + i, i);
                }
            }
            em.flush();
            em.createQuery("FROM Order WHERE what LIKE 'batch %'", Order.class)
                    .getResultList()
                    .forEach(order -> order.quantity *= 2);
        });
    }

    @Test
    void numbersFromATable() {
        rig.check(application -> inTransaction(application, em -> {
            for (int i = 0; i < 3; i++) {
                Ticket ticket = new Ticket();
                ticket.text = "ticket " + i;
                em.persist(ticket);
            }
        }));
    }

    @Test
    void assignedAndCompositeKeys() {
        check(em -> {
            em.persist(new Tag("new"));
            em.merge(new Tag("merged"));
            em.persist(new Place(8, "9Z", "ann"));
            em.find(Place.class, new PlaceId(7, "1A")).passenger = "bob";
            em.remove(em.find(Place.class, new PlaceId(7, "1B")));
        });
    }

    @Test
    void uuidsAndOneTableForAClassTree() {
        rig.check(1, application -> {
            inTransaction(application, em -> {
                Truck truck = new Truck();
                truck.plate = "T";
                truck.axles = 3;
                em.persist(truck);
                em.persist(new Vehicle());
                em.flush();
                // The keys are random, so only their number can be compared.
                application.saw(em.createQuery("DELETE FROM Vehicle").executeUpdate());
                em.persist(new Tag("vehicles"));
            });
        });
    }

    // Changes at the flush

    @Test
    void dirtyCheckingAndVersions() {
        check(em -> {
            Customer ann = customer(em, "ann");
            ann.balance = ann.balance.subtract(BigDecimal.TEN);
            ann.address.town = "Bath";
            ann.settings.put("colour", "ä\uD83D\uDE00");
            em.flush();
            ann.mood = Mood.BAD;
        });
    }

    @Test
    void anOptimisticFailureRollsTheLocalTransactionBackAndTheGlobalOneGoesOn() {
        rig.check(1, application -> {
            Customer[] stale = new Customer[1];
            inTransaction(application, em -> stale[0] = customer(em, "bob"));
            inTransaction(application, em -> customer(em, "bob").score = 9);
            stale[0].balance = BigDecimal.ONE;
            assertThatThrownBy(() -> inTransaction(application, em -> em.merge(stale[0])))
                    .isInstanceOfAny(OptimisticLockException.class, ObjectOptimisticLockingFailureException.class);
        });
    }

    @Test
    void aStaleVersionInABatchIsNoticed() {
        rig.check(2, application -> {
            assertThatThrownBy(() -> inTransaction(application, em -> {
                        List<Order> orders = em.createQuery(
                                        "FROM Order o WHERE o.customer.name = 'cy' ORDER BY o.id", Order.class)
                                .getResultList();
                        orders.forEach(order -> order.quantity += 10);
                        TransactionTemplate other = new TransactionTemplate(
                                application.bean(TransactionTemplate.class).getTransactionManager());
                        other.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
                        other.executeWithoutResult(status -> em.find(Order.class, orders.get(0).id).quantity = 77);
                    }))
                    .isInstanceOfAny(OptimisticLockException.class, ObjectOptimisticLockingFailureException.class);
            inTransaction(application, em -> em.persist(new Tag("after stale")));
        });
    }

    @Test
    void largeTextsAndBytes() {
        check(em -> {
            Customer ann = customer(em, "ann");
            ann.story = "once upon a time ".repeat(5_000);
            ann.picture = new byte[200_000];
            ann.picture[7] = 1;
            em.flush();
            em.clear();
            Customer again = customer(em, "ann");
            assertThat(again.story).hasSize(85_000);
            assertThat(again.picture).hasSize(200_000);
            customer(em, "bob").story = "short";
        });
    }

    @Test
    void collections() {
        check(em -> {
            Customer bob = customer(em, "bob");
            bob.phones.remove(0);
            bob.phones.add("4");
            bob.notes.add("c");
            bob.notes.remove("a");
            Order order = bob.orders.get(0);
            order.tags.add(em.getReference(Tag.class, "red"));
            order.tags.add(em.getReference(Tag.class, "green"));
            em.flush();
            order.tags.remove(em.getReference(Tag.class, "red"));
        });
    }

    @Test
    void cascadeRemoveAndOrphans() {
        check(em -> {
            Customer ann = customer(em, "ann");
            ann.orders.remove(0);
            Customer gone = new Customer("gone");
            gone.order("x", 1);
            gone.phones.add("9");
            em.persist(gone);
            em.flush();
            em.remove(gone);
            em.flush();
            ann.orders.get(0).what = "kept";
        });
    }

    @Test
    void joinedTables() {
        check(em -> {
            Cat cat = new Cat();
            cat.name = "tom";
            cat.lives = 9;
            em.persist(cat);
            em.flush();
            cat.name = "jerry";
            cat.lives = 8;
            em.remove(em.createQuery("FROM Cat WHERE name = 'cat 0'", Cat.class).getSingleResult());
        });
    }

    @Test
    void secondaryTables() {
        check(em -> {
            em.persist(new Parcel(50, "ann", "new"));
            List<Parcel> parcels =
                    em.createQuery("FROM Parcel ORDER BY id", Parcel.class).getResultList();
            parcels.get(0).remark = "now there is one";
            parcels.get(1).remark = null;
            parcels.get(2).sender = "other";
            em.remove(parcels.get(3));
        });
    }

    @Test
    void softDeletes() {
        check(em -> {
            em.remove(em.find(Document.class, 1));
            em.createQuery("DELETE FROM Document WHERE id = 2").executeUpdate();
        });
    }

    // Statements

    @Test
    void bulkUpdatesAndDeletes() {
        check(em -> {
            assertThat(em.createQuery("UPDATE Order o SET o.quantity = o.quantity + 1 WHERE o.customer.name = 'ann'")
                            .executeUpdate())
                    .isPositive();
            assertThat(em.createQuery("UPDATE VERSIONED Order SET what = upper(what) WHERE quantity > 1")
                            .executeUpdate())
                    .isPositive();
            em.createQuery("DELETE FROM Order o WHERE o.quantity > 2 AND o.tags IS EMPTY")
                    .executeUpdate();
            em.createQuery("DELETE FROM Place p WHERE p.id.train = 7 AND p.id.seat = '1C'")
                    .executeUpdate();
            assertThat(em.createQuery("INSERT INTO Tag (name) SELECT concat('of ', d.title) FROM Document d")
                            .executeUpdate())
                    .isPositive();
            em.createQuery("INSERT INTO Tag (name) VALUES ('one'), ('two')").executeUpdate();
            em.createQuery("DELETE FROM Tag t WHERE t.name = 'two'").executeUpdate();
        });
    }

    /** Hibernate keeps the keys in a temporary table, or writes both tables in a WITH. */
    @Test
    void bulkStatementsOverTheTablesOfOneClassAreRefusedBeforeAnyChange() {
        rig.checkRefused(
                kind() == DatabaseKind.MARIADB ? null : ErrorCode.STATEMENT_NOT_SUPPORTED,
                application -> inTransaction(application, em -> em.createQuery(
                                "UPDATE Cat SET name = concat(name, '!'), lives = lives + 1 WHERE lives = 2")
                        .executeUpdate()));
    }

    @Test
    void statelessSessionsAndUpserts() {
        rig.check(1, application -> {
            try (var session = application
                    .bean(EntityManagerFactory.class)
                    .unwrap(SessionFactory.class)
                    .openStatelessSession()) {
                session.beginTransaction();
                session.insert(new Tag("stateless"));
                session.upsert(new Place(7, "1D", "upserted"));
                session.upsert(new Place(7, "new", "upserted"));
                session.delete(session.get(Tag.class, "stateless"));
                session.getTransaction().commit();
            }
        });
    }

    @Test
    void pessimisticLocks() {
        check(em -> {
            Customer ann = customer(em, "ann");
            em.lock(ann, LockModeType.PESSIMISTIC_WRITE);
            Customer bob = em.createQuery("FROM Customer WHERE name = 'bob'", Customer.class)
                    .setLockMode(LockModeType.PESSIMISTIC_WRITE)
                    .getSingleResult();
            em.refresh(bob, LockModeType.PESSIMISTIC_READ);
            em.lock(bob, LockModeType.OPTIMISTIC_FORCE_INCREMENT);
            Order order = em.find(Order.class, ann.orders.get(0).id, LockModeType.PESSIMISTIC_FORCE_INCREMENT);
            order.quantity = 1000;
        });
    }

    // Spring Data

    @Test
    void repositories() {
        rig.check(application -> {
            Customers customers = application.bean(Customers.class);
            customers.saveAll(List.of(new Customer("repo 1"), new Customer("repo 2"), new Customer("other 3")));
            application.bean(TransactionTemplate.class).executeWithoutResult(status -> {
                assertThat(customers.findLockedByName("repo 1")).isPresent();
                assertThat(customers.findSharedByActive(true)).isNotEmpty();
                application.saw(customers.reward(BigDecimal.ONE));
                application.saw(customers.score("repo %"));
                application.saw(customers.ruin("repo 2"));
                application.saw(customers.deleteByNameStartingWith("other"));
            });
            customers.deleteAllInBatch(List.of(customers.findByName("repo 1")));
        });
    }

    @Test
    void readOnlyTransactionsBecomeNoBranches() {
        rig.check(1, application -> {
            TransactionTemplate reading = new TransactionTemplate(
                    application.bean(TransactionTemplate.class).getTransactionManager());
            reading.setReadOnly(true);
            reading.executeWithoutResult(
                    status -> application.saw(application.bean(Customers.class).count()));
            inTransaction(application, em -> em.persist(new Tag("after reading")));
        });
    }

    @Test
    void animalsAreReadPolymorphically() {
        check(em -> em.createQuery("FROM Animal WHERE name = 'cat 3'", Animal.class)
                .getResultList()
                .forEach(animal -> animal.name = animal.name + "?"));
    }
}
