package io.txn.samples.e2e;

import io.txn.samples.demo.Program;
import io.txn.samples.demo.Rows;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the shop's books say at one moment.
 *
 * @param stock keyboards in the storage
 * @param orders number of orders
 * @param purchases number of purchases
 * @param money of all customers together
 */
record Figures(int stock, int orders, int purchases, BigDecimal money) {

    private static final BigDecimal PRICE = new BigDecimal("40.00");

    static Figures of(Shop shop) throws IOException {
        Rows rows = shop.client().rows();
        BigDecimal money = BigDecimal.ZERO;
        for (String account : rows.of(Program.ACCOUNT, "account")) {
            money = money.add(new BigDecimal(field(account, "balance")));
        }
        return new Figures(
                Integer.parseInt(field(rows.of(Program.STORAGE, "stock").get(0), "quantity")),
                rows.of(Program.ORDER, "purchase_order").size(),
                rows.of(Program.BUSINESS, "purchase").size(),
                money);
    }

    /** The same books after one more purchase of that many keyboards. */
    Figures afterPurchaseOf(int quantity) {
        return new Figures(
                stock - quantity,
                orders + 1,
                purchases + 1,
                money.subtract(PRICE.multiply(BigDecimal.valueOf(quantity))));
    }

    private static String field(String row, String name) {
        Matcher matcher = Pattern.compile("(?:^| )" + name + "=(\\S+)").matcher(row);
        if (!matcher.find()) {
            throw new AssertionError("no " + name + " in " + row);
        }
        return matcher.group(1);
    }
}
