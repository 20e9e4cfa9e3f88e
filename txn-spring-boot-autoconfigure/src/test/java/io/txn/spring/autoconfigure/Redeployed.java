package io.txn.spring.autoconfigure;

/** What runs in a class loader of its own: a commit and a rollback, with a coordinator within. */
public final class Redeployed implements Runnable {

    @Override
    public void run() {
        try (SmallShop shop = SmallShop.start("redeployed", "txn.embedded.enabled=true", "spring.jmx.enabled=true")) {
            shop.sell(1, () -> {});
            try {
                shop.sell(2, () -> {
                    throw new IllegalStateException("roll back");
                });
                throw new AssertionError("not thrown");
            } catch (IllegalStateException e) {
                if (!shop.sold().equals(java.util.List.of(1))) {
                    throw new AssertionError("sold " + shop.sold());
                }
            }
        }
    }
}
