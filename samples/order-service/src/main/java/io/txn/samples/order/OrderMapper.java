package io.txn.samples.order;

import java.util.List;
import org.apache.ibatis.annotations.Insert;
import org.apache.ibatis.annotations.Mapper;
import org.apache.ibatis.annotations.Options;
import org.apache.ibatis.annotations.Select;

@Mapper
interface OrderMapper {

    @Insert("""
            INSERT INTO purchase_order (customer, product, quantity, total)
            VALUES (#{customer}, #{product}, #{quantity}, #{total})
            """)
    @Options(useGeneratedKeys = true, keyProperty = "id", keyColumn = "id")
    void insert(NewOrder order);

    @Select("SELECT id, customer, product, quantity, total FROM purchase_order ORDER BY id")
    List<PurchaseOrder> findAll();
}
