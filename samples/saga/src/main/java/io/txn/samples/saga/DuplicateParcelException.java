package io.txn.samples.saga;

/** Two parcels cannot have one number: the second one could never be sent. */
final class DuplicateParcelException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    DuplicateParcelException(Parcel parcel) {
        super("there is a parcel " + parcel.number() + " already: give this one another number");
    }
}
