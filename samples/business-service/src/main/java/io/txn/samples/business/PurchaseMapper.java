package io.txn.samples.business;

import java.math.BigDecimal;
import java.util.List;
import org.apache.ibatis.annotations.Insert;
import org.apache.ibatis.annotations.Mapper;
import org.apache.ibatis.annotations.Select;

@Mapper
interface PurchaseMapper {

    @Insert("INSERT INTO purchase (customer, order_id, total) VALUES (#{customer}, #{orderId}, #{total})")
    void insert(String customer, long orderId, BigDecimal total);

    @Select("SELECT id, customer, order_id, total FROM purchase ORDER BY id")
    List<Purchase> findAll();
}
