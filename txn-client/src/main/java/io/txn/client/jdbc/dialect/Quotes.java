package io.txn.client.jdbc.dialect;

/** How a database quotes names. */
enum Quotes {
    DOUBLE('"'),
    BACKTICK('`');

    private final String mark;

    Quotes(char mark) {
        this.mark = String.valueOf(mark);
    }

    String quote(String name) {
        return mark + name.replace(mark, mark + mark) + mark;
    }
}
