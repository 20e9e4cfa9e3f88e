package io.txn.client.jdbc.corpus;

/** How a case came out, with what was seen when it is not as it should be. */
public record Result(CorpusCase what, Outcome outcome, String detail) {

    /** Whether the build fails. */
    public boolean fails() {
        return !outcome.accepted() && outcome != what.known()
                || outcome == Outcome.REFUSED && what.wanted() == CorpusCase.Wanted.ATTENTION
                || outcome == Outcome.EXACT && what.wanted() == CorpusCase.Wanted.REFUSED;
    }

    /** Whether it is refused and should be exact one day. */
    public boolean open() {
        return outcome == Outcome.REFUSED && what.wanted() == CorpusCase.Wanted.EXACT;
    }

    @Override
    public String toString() {
        return outcome + " " + what + (detail.isEmpty() ? "" : ": " + detail);
    }
}
