package io.txn.test.frameworks;

import jakarta.persistence.Basic;
import jakarta.persistence.CascadeType;
import jakarta.persistence.CollectionTable;
import jakarta.persistence.Column;
import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.ElementCollection;
import jakarta.persistence.Embeddable;
import jakarta.persistence.EmbeddedId;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.FetchType;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import jakarta.persistence.JoinTable;
import jakarta.persistence.Lob;
import jakarta.persistence.ManyToMany;
import jakarta.persistence.ManyToOne;
import jakarta.persistence.OneToMany;
import jakarta.persistence.OrderColumn;
import jakarta.persistence.PrimaryKeyJoinColumn;
import jakarta.persistence.SecondaryTable;
import jakarta.persistence.SequenceGenerator;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.io.Serializable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.hibernate.annotations.DynamicUpdate;
import org.hibernate.annotations.JdbcTypeCode;
import org.hibernate.annotations.SoftDelete;
import org.hibernate.type.SqlTypes;

/** Entities with the keys, associations and types that make Hibernate write differently. */
final class JpaEntities {

    private JpaEntities() {}

    enum Mood {
        GOOD,
        BAD
    }

    @Embeddable
    static class Address {
        String street;
        String town;

        Address() {}

        Address(String street, String town) {
            this.street = street;
            this.town = town;
        }
    }

    @Entity(name = "Customer")
    @Table(name = "customer")
    @DynamicUpdate
    static class Customer {
        @Id
        @GeneratedValue(strategy = GenerationType.IDENTITY)
        Long id;

        @Version
        int version;

        @Column(unique = true)
        String name;

        Address address;

        @Enumerated(EnumType.STRING)
        Mood mood;

        @Column(precision = 12, scale = 2)
        BigDecimal balance;

        boolean active;
        double score;
        LocalDate birthday;
        Instant seen;
        UUID token;

        @JdbcTypeCode(SqlTypes.JSON)
        Map<String, String> settings = new TreeMap<>();

        @Lob
        String story;

        @Lob
        @Basic(fetch = FetchType.LAZY)
        byte[] picture;

        @ElementCollection
        @CollectionTable(name = "customer_phone")
        @OrderColumn
        List<String> phones = new ArrayList<>();

        @ElementCollection
        @CollectionTable(name = "customer_note")
        @Column(name = "note", nullable = false)
        Set<String> notes = new HashSet<>();

        @OneToMany(mappedBy = "customer", cascade = CascadeType.ALL, orphanRemoval = true)
        List<Order> orders = new ArrayList<>();

        Customer() {}

        Customer(String name) {
            this.name = name;
            this.mood = Mood.GOOD;
            this.balance = new BigDecimal("100.00");
            this.active = true;
            this.score = 1.0 / 3;
            this.birthday = LocalDate.of(1999, 12, 31);
            this.seen = Instant.parse("2024-05-06T07:08:09.123456Z");
            this.token = new UUID(name.hashCode(), 7);
            this.address = new Address("Main Street", null);
        }

        Order order(String what, int quantity) {
            Order order = new Order();
            order.customer = this;
            order.what = what;
            order.quantity = quantity;
            orders.add(order);
            return order;
        }
    }

    @Entity(name = "Order")
    @Table(name = "`order`")
    static class Order {
        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE, generator = "order_numbers")
        @SequenceGenerator(name = "order_numbers", sequenceName = "order_numbers", allocationSize = 5)
        Long id;

        @Version
        long version;

        @ManyToOne(fetch = FetchType.LAZY, optional = false)
        Customer customer;

        String what;
        int quantity;

        @ManyToMany
        @JoinTable(name = "order_tag")
        Set<Tag> tags = new HashSet<>();
    }

    @Entity(name = "Tag")
    @Table(name = "tag")
    static class Tag {
        @Id
        String name;

        Tag() {}

        Tag(String name) {
            this.name = name;
        }
    }

    /** Numbered from a table. */
    @Entity(name = "Ticket")
    @Table(name = "ticket")
    static class Ticket {
        @Id
        @GeneratedValue(strategy = GenerationType.TABLE)
        Long id;

        String text;
    }

    @Entity(name = "Parcel")
    @Table(name = "parcel")
    @SecondaryTable(name = "parcel_detail", pkJoinColumns = @PrimaryKeyJoinColumn(name = "parcel_id"))
    static class Parcel {
        @Id
        UUID id;

        String sender;

        @Column(table = "parcel_detail")
        String remark;

        Parcel() {}

        Parcel(int number, String sender, String remark) {
            this.id = new UUID(1, number);
            this.sender = sender;
            this.remark = remark;
        }
    }

    @Embeddable
    record PlaceId(int train, String seat) implements Serializable {}

    @Entity(name = "Place")
    @Table(name = "place")
    static class Place {
        @EmbeddedId
        PlaceId id;

        String passenger;

        Place() {}

        Place(int train, String seat, String passenger) {
            this.id = new PlaceId(train, seat);
            this.passenger = passenger;
        }
    }

    @Entity(name = "Animal")
    @Table(name = "animal")
    @Inheritance(strategy = InheritanceType.JOINED)
    static class Animal {
        @Id
        @GeneratedValue(strategy = GenerationType.SEQUENCE)
        Long id;

        String name;
    }

    @Entity(name = "Cat")
    @Table(name = "cat")
    static class Cat extends Animal {
        int lives;
    }

    @Entity(name = "Vehicle")
    @Table(name = "vehicle")
    @DiscriminatorColumn(name = "kind")
    static class Vehicle {
        @Id
        @GeneratedValue(strategy = GenerationType.UUID)
        UUID id;

        String plate;
    }

    @Entity(name = "Truck")
    static class Truck extends Vehicle {
        Integer axles;
    }

    /** Never deleted, only marked. */
    @Entity(name = "Document")
    @Table(name = "document")
    @SoftDelete
    static class Document {
        @Id
        int id;

        String title;

        Document() {}

        Document(int id, String title) {
            this.id = id;
            this.title = title;
        }
    }
}
