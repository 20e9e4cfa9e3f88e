package io.txn.spring.autoconfigure;

import io.txn.client.jdbc.AtOptions;

/** Changes how AT mode behaves on one data source; beans of this type are applied in their order when the data source is wrapped. */
@FunctionalInterface
public interface AtOptionsCustomizer {

    /** @param beanName the data source's name */
    AtOptions customize(String beanName, AtOptions options);
}
