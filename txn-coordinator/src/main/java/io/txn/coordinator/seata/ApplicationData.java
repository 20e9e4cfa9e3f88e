package io.txn.coordinator.seata;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What the coordinator reads in a branch's application data. It is kept and given back verbatim in any case. */
final class ApplicationData {

    private static final JsonFactory JSON = new JsonFactory();
    private static final String AUTO_COMMIT = "autoCommit";

    private ApplicationData() {}

    /**
     * Whether the client says that it holds a local transaction open ({@code "autoCommit": false} at the top of a JSON object). What is no JSON object
     * says nothing. The parser streams and bounds nesting and lengths.
     */
    static boolean holdsLocalTransaction(@Nullable String data) {
        if (data == null || !data.contains(AUTO_COMMIT)) {
            return false;
        }
        try (JsonParser parser = JSON.createParser(data)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = AUTO_COMMIT.equals(parser.currentName());
                JsonToken value = parser.nextToken();
                if (wanted) {
                    return value == JsonToken.VALUE_FALSE;
                }
                parser.skipChildren();
            }
            return false;
        } catch (IOException e) {
            return false; // not JSON: the data is the application's own business
        }
    }
}
