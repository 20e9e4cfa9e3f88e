package io.txn.client.jdbc;

class ForeseenUpdatesMariaDbIT extends ForeseenUpdatesContract {}
