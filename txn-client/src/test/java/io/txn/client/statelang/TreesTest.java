package io.txn.client.statelang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.txn.client.action.Json;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What services of state machines take and return, as JSON and back. */
class TreesTest {

    /** As applications write them. */
    public static class Person {
        private String name;
        private int age;
        private List<Person> children = new ArrayList<>();
        private boolean member;

        public String getName() {
            return name;
        }

        public void setName(String name) {
            this.name = name;
        }

        public int getAge() {
            return age;
        }

        public void setAge(int age) {
            this.age = age;
        }

        public List<Person> getChildren() {
            return children;
        }

        public void setChildren(List<Person> children) {
            this.children = children;
        }

        public boolean isMember() {
            return member;
        }

        public void setMember(boolean member) {
            this.member = member;
        }
    }

    record Part(String item, BigDecimal price, Optional<String> note) {}

    enum Colour {
        RED
    }

    @SuppressWarnings("unused") // read by reflection
    interface Takes {
        void all(
                Map<String, Person> people,
                Person[] more,
                Set<Colour> colours,
                long number,
                BigInteger large,
                LocalDate day,
                Part part,
                Object any,
                List<?> untyped,
                Date date);

        void never(Thread thread, Runnable task, Map<String, List<Thread>> deep);
    }

    @Test
    void whatComesBackIsWhatWasGiven() throws Exception {
        Person child = new Person();
        child.setName("Ann");
        Person person = new Person();
        person.setName("Bob");
        person.setAge(40);
        person.setMember(true);
        person.setChildren(List.of(child));
        Map<String, Object> values = new LinkedHashMap<>();
        values.put("0", Map.of("bob", person));
        values.put("1", new Person[] {person});
        values.put("2", Set.of(Colour.RED));
        values.put("3", 5_000_000_000L);
        values.put("4", BigInteger.TEN.pow(30));
        values.put("5", LocalDate.of(2026, 11, 21));
        values.put("6", new Part("book", new BigDecimal("12.30"), Optional.of("n")));
        values.put("7", Map.of("k", List.of(1, true, "x", 2.5)));
        values.put("8", List.of(1, "a"));
        values.put("9", new Date(1_000));
        Map<?, ?> json = (Map<?, ?>) Json.readAny(Json.write(Trees.of(values)));

        Method all = method("all");
        List<Object> back = new ArrayList<>();
        for (int i = 0; i < all.getParameterCount(); i++) {
            assertThat(Trees.unreadable(all.getGenericParameterTypes()[i])).isNull();
            back.add(Trees.as(all.getGenericParameterTypes()[i], json.get(Integer.toString(i))));
        }
        Person bob = (Person) ((Map<?, ?>) back.get(0)).get("bob");
        assertThat(bob).usingRecursiveComparison().isEqualTo(person);
        assertThat((Person[]) back.get(1))
                .usingRecursiveFieldByFieldElementComparator()
                .containsExactly(person);
        assertThat(back.subList(2, 6))
                .containsExactly(
                        Set.of(Colour.RED), 5_000_000_000L, BigInteger.TEN.pow(30), LocalDate.of(2026, 11, 21));
        assertThat(((Part) back.get(6)).price()).isEqualTo("12.30");
        assertThat(back.get(7)).isEqualTo(Map.of("k", List.of(1, true, "x", new BigDecimal("2.5"))));
        assertThat(back.get(8)).isEqualTo(List.of(1, "a"));
        assertThat(back.get(9)).isEqualTo(new Date(1_000));
    }

    private static Method method(String name) {
        for (Method method : Takes.class.getDeclaredMethods()) {
            if (method.getName().equals(name)) {
                return method;
            }
        }
        throw new AssertionError(name);
    }

    @Test
    void whatCannotBeMadeIsKnownBeforehand() {
        for (java.lang.reflect.Type type : method("never").getGenericParameterTypes()) {
            assertThat(Trees.unreadable(type)).as(type.toString()).isNotNull();
        }
    }

    @Test
    void whatIsNoValueIsRefused() {
        List<Object> round = new ArrayList<>();
        round.add(round);
        assertThatThrownBy(() -> Trees.of(round)).hasMessageContaining("contains itself");
        assertThatThrownBy(() -> Trees.of(Thread.currentThread())).hasMessageContaining("none of the values");
        assertThatThrownBy(() -> Trees.of(Double.NaN)).hasMessageContaining("no decimal number");
        assertThatThrownBy(() -> Trees.of(new Object() {})).hasMessageContaining("has no properties");
        assertThatThrownBy(() -> Trees.as(int.class, null)).hasMessageContaining("nothing stands where a int");
        assertThatThrownBy(() -> Trees.as(int.class, "5")).isInstanceOf(Trees.MisfitException.class);
        assertThatThrownBy(() -> Trees.as(Person.class, "Bob")).hasMessageContaining("a String stands where");
        assertThatThrownBy(() -> Trees.as(Person.class, Map.of("age", "old")))
                .isInstanceOf(Trees.MisfitException.class);
    }
}
