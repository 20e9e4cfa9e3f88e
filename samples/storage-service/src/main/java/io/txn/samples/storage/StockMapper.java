package io.txn.samples.storage;

import java.util.List;
import org.apache.ibatis.annotations.Mapper;
import org.apache.ibatis.annotations.Select;
import org.apache.ibatis.annotations.Update;
import org.jspecify.annotations.Nullable;

@Mapper
interface StockMapper {

    /** Takes the quantity out if there is enough; returns the number of rows changed, 0 or 1. */
    @Update("UPDATE stock SET quantity = quantity - #{quantity} WHERE product = #{product} AND quantity >= #{quantity}")
    int take(String product, int quantity);

    @Select("SELECT product, quantity, unit_price FROM stock WHERE product = #{product}")
    @Nullable
    Stock find(String product);

    @Select("SELECT product, quantity, unit_price FROM stock ORDER BY product")
    List<Stock> findAll();
}
