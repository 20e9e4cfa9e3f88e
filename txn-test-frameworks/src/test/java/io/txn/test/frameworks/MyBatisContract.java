package io.txn.test.frameworks;

import static org.assertj.core.api.Assertions.assertThat;

import io.txn.test.DatabaseKind;
import io.txn.test.TestDatabase;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.ibatis.annotations.Delete;
import org.apache.ibatis.annotations.Insert;
import org.apache.ibatis.annotations.Mapper;
import org.apache.ibatis.annotations.Options;
import org.apache.ibatis.annotations.Param;
import org.apache.ibatis.annotations.Select;
import org.apache.ibatis.annotations.SelectKey;
import org.apache.ibatis.annotations.Update;
import org.apache.ibatis.executor.BatchResult;
import org.apache.ibatis.session.ExecutorType;
import org.apache.ibatis.session.SqlSession;
import org.apache.ibatis.session.SqlSessionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.mybatis.spring.SqlSessionTemplate;
import org.mybatis.spring.annotation.MapperScan;
import org.mybatis.spring.boot.autoconfigure.MybatisAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.transaction.support.TransactionTemplate;

/** MyBatis with each of its executors: mappers, generated keys in all forms, dynamic SQL. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class MyBatisContract {

    private Rig rig;

    abstract DatabaseKind kind();

    @ImportAutoConfiguration({
        DataSourceAutoConfiguration.class,
        DataSourceTransactionManagerAutoConfiguration.class,
        MybatisAutoConfiguration.class,
        TransactionAutoConfiguration.class
    })
    @MapperScan(basePackageClasses = MyBatisContract.class, annotationClass = Mapper.class)
    @WithTheStarter
    static class App {}

    /** What is bought. */
    public static final class Bought {
        public Long id;
        public long accountId;
        public String what;
        public BigDecimal price;

        public Bought() {}

        Bought(long accountId, String what, String price) {
            this.accountId = accountId;
            this.what = what;
            this.price = price == null ? null : new BigDecimal(price);
        }
    }

    /** A ticket whose number comes from elsewhere. */
    public static final class Ticket {
        public Long id;
        public String text;

        public Ticket() {}

        Ticket(String text) {
            this.text = text;
        }
    }

    @Mapper
    interface Buying {
        @Insert("INSERT INTO purchase (account_id, what, price) VALUES (#{accountId}, #{what}, #{price})")
        @Options(useGeneratedKeys = true, keyProperty = "id", keyColumn = "id")
        int insert(Bought bought);

        @Insert({
            "<script>",
            "INSERT INTO purchase (account_id, what, price) VALUES",
            "<foreach collection='list' item='b' separator=','>(#{b.accountId}, #{b.what}, #{b.price})</foreach>",
            "</script>"
        })
        @Options(useGeneratedKeys = true, keyProperty = "id", keyColumn = "id")
        int insertAll(List<Bought> bought);

        @Update({
            "<script>",
            "UPDATE purchase <set><if test='what != null'>what = #{what},</if>",
            "<if test='price != null'>price = #{price},</if></set> WHERE id = #{id}",
            "</script>"
        })
        int change(Bought bought);

        @Update("UPDATE account SET amount = amount - #{price} WHERE id = #{id} AND amount >= #{price}")
        int pay(@Param("id") long account, @Param("price") BigDecimal price);

        @Delete({
            "<script>DELETE FROM purchase WHERE id IN",
            "<foreach collection='list' item='id' open='(' separator=',' close=')'>#{id}</foreach></script>"
        })
        int delete(List<Long> ids);

        @Select("SELECT id, account_id AS accountId, what, price FROM purchase WHERE what = #{what} ORDER BY id")
        List<Bought> find(String what);

        @Select("SELECT amount FROM account WHERE id = #{id} FOR UPDATE")
        BigDecimal lock(long id);

        @Insert("INSERT INTO ticket (id, text) VALUES (#{id}, #{text})")
        @SelectKey(
                statement = "SELECT NEXT VALUE FOR ticket_number",
                keyProperty = "id",
                before = true,
                resultType = Long.class)
        int numbered(Ticket ticket);

        @Insert("INSERT INTO ticket (id, text) VALUES (#{id}, #{text})")
        @SelectKey(
                statement = "SELECT nextval('ticket_number')",
                keyProperty = "id",
                before = true,
                resultType = Long.class)
        int numberedByPostgres(Ticket ticket);

        @Insert("INSERT INTO purchase (account_id, what) VALUES (#{accountId}, #{what})")
        @SelectKey(statement = "SELECT LAST_INSERT_ID()", keyProperty = "id", before = false, resultType = Long.class)
        int askedAfterwards(Bought bought);

        @Insert("INSERT INTO purchase (account_id, what) VALUES (#{accountId}, #{what})")
        @SelectKey(
                statement = "SELECT currval('purchase_id_seq')",
                keyProperty = "id",
                before = false,
                resultType = Long.class)
        int askedAfterwardsByPostgres(Bought bought);

        @Select("INSERT INTO purchase (account_id, what) VALUES (#{accountId}, #{what}) RETURNING id")
        @Options(flushCache = Options.FlushCachePolicy.TRUE)
        Long returning(Bought bought);
    }

    private void create(TestDatabase database) {
        Shop.create(database);
        database.execute(
                "CREATE TABLE ticket (id BIGINT NOT NULL PRIMARY KEY, text VARCHAR(40))",
                "CREATE SEQUENCE ticket_number START WITH 100");
    }

    @BeforeAll
    void start() {
        rig = Rig.start(App.class, kind(), this::create);
    }

    @AfterAll
    void stop() {
        rig.close();
    }

    /** Work of a local transaction. */
    private interface Session {
        void run(Buying mapper, SqlSessionTemplate session, Application application);
    }

    private void inOne(ExecutorType executor, Session work) {
        rig.check(1, application -> {
            SqlSessionTemplate session = new SqlSessionTemplate(application.bean(SqlSessionFactory.class), executor);
            application
                    .bean(TransactionTemplate.class)
                    .executeWithoutResult(status -> work.run(session.getMapper(Buying.class), session, application));
        });
    }

    @ParameterizedTest
    @EnumSource
    void mapperInALocalTransaction(ExecutorType executor) {
        inOne(executor, (mapper, session, application) -> {
            for (int i = 0; i < 3; i++) {
                mapper.insert(new Bought(1, "salt", "1.25"));
            }
            mapper.insert(new Bought(2, "tea", null));
            mapper.insert(new Bought(2, "milk", "0.99"));
            assertThat(mapper.lock(2)).isNotNull();
            mapper.pay(2, new BigDecimal("0.99"));
            mapper.pay(2, new BigDecimal("100000"));
            Bought salt = mapper.find("salt").get(0);
            salt.what = "pepper";
            mapper.change(salt);
            mapper.delete(mapper.find("tea").stream().map(b -> b.id).toList());
            session.flushStatements();
        });
    }

    @ParameterizedTest
    @EnumSource
    void generatedKeysReachTheObjects(ExecutorType executor) {
        inOne(executor, (mapper, session, application) -> {
            List<Bought> all = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                Bought one = new Bought(1, "key" + i, null);
                all.add(one);
                mapper.insert(one);
            }
            List<BatchResult> results = session.flushStatements();
            assertThat(results).hasSize(executor == ExecutorType.BATCH ? 1 : 0);
            if (executor != ExecutorType.BATCH) { // MyBatis has no keys for a list in a batch
                List<Bought> together = List.of(new Bought(1, "together", "1"), new Bought(1, "together", "2"));
                mapper.insertAll(together);
                application.saw(together.get(0).id); // MariaDB's driver knows no more; under AT mode all are known
                all.add(together.get(0));
            }
            for (Bought one : all) {
                assertThat(mapper.find(one.what)).anySatisfy(found -> {
                    assertThat(found.id).isEqualTo(one.id);
                });
            }
            mapper.delete(all.stream().map(b -> b.id).filter(id -> id % 2 == 0).toList());
            session.flushStatements();
        });
    }

    @ParameterizedTest
    @EnumSource
    void selectKey(ExecutorType executor) {
        inOne(executor, (mapper, session, application) -> {
            Ticket ticket = new Ticket("numbered");
            if (kind() == DatabaseKind.POSTGRESQL) {
                mapper.numberedByPostgres(ticket);
            } else {
                mapper.numbered(ticket);
            }
            assertThat(ticket.id).isGreaterThanOrEqualTo(100);
            if (executor == ExecutorType.BATCH || kind() == DatabaseKind.H2) {
                return; // asked after the statement was queued, not after it ran; H2 has no such function in this mode
            }
            Bought bought = new Bought(1, "asked", null);
            if (kind() == DatabaseKind.POSTGRESQL) {
                mapper.askedAfterwardsByPostgres(bought);
            } else {
                mapper.askedAfterwards(bought);
            }
            assertThat(mapper.find("asked"))
                    .anySatisfy(found -> assertThat(found.id).isEqualTo(bought.id));
        });
    }

    @ParameterizedTest
    @EnumSource
    void keysReturnedByTheStatement(ExecutorType executor) {
        if (kind() == DatabaseKind.H2) {
            return;
        }
        inOne(executor, (mapper, session, application) -> {
            Long id = mapper.returning(new Bought(3, "returned", null));
            assertThat(mapper.find("returned"))
                    .anySatisfy(found -> assertThat(found.id).isEqualTo(id));
        });
    }

    @ParameterizedTest
    @EnumSource
    void aSessionOfItsOwnPastSpring(ExecutorType executor) {
        rig.check(2, application -> {
            SqlSessionFactory factory = application.bean(SqlSessionFactory.class);
            try (SqlSession session = factory.openSession(executor, false)) {
                session.getMapper(Buying.class).insert(new Bought(1, "own", null));
                session.getMapper(Buying.class).pay(1, BigDecimal.ONE);
                session.commit();
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void withoutALocalTransactionEachStatementIsOne(ExecutorType executor) {
        rig.check(2, application -> {
            Buying mapper =
                    new SqlSessionTemplate(application.bean(SqlSessionFactory.class), executor).getMapper(Buying.class);
            mapper.insert(new Bought(1, "alone", null));
            mapper.pay(3, BigDecimal.ONE);
        });
    }
}
