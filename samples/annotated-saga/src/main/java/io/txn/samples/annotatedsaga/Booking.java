package io.txn.samples.annotatedsaga;

/** A room or a seat that was booked; {@code state} is BOOKED or CANCELLED. */
public record Booking(String id, String guest, String state) {}
