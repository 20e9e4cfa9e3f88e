package io.txn.samples.account;

import java.math.BigDecimal;
import java.util.List;
import org.apache.ibatis.annotations.Mapper;
import org.apache.ibatis.annotations.Select;
import org.apache.ibatis.annotations.Update;
import org.jspecify.annotations.Nullable;

@Mapper
interface AccountMapper {

    /** The account, locked until the local transaction ends. */
    @Select("SELECT customer, balance FROM account WHERE customer = #{customer} FOR UPDATE")
    @Nullable
    Account findForUpdate(String customer);

    @Update("UPDATE account SET balance = #{balance} WHERE customer = #{customer}")
    int setBalance(String customer, BigDecimal balance);

    @Select("SELECT customer, balance FROM account ORDER BY customer")
    List<Account> findAll();
}
