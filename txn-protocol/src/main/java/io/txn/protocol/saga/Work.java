package io.txn.protocol.saga;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What a step of a saga does. */
public sealed interface Work {

    /** Somebody is called, and answers with a result. */
    sealed interface Call extends Work {

        /** Whom: a resource that applications register, or method and address. */
        String target();
    }

    /**
     * A method of an application, called over the connection of any instance that has registered the resource.
     *
     * @param resource by convention {@code saga/<application>/<bean.method>}
     */
    record Bean(String resource) implements Call {
        public Bean {
            SagaPlan.text("a resource", resource, SagaPlan.LONGEST_RESOURCE);
        }

        @Override
        public String target() {
            return resource;
        }
    }

    /**
     * An HTTP endpoint, called by the coordinator, which does so only if its configuration allows that target.
     *
     * @param method POST, PUT, PATCH or DELETE (GET only where nothing is changed)
     * @param url absolute, http or https, without user information and fragment
     */
    record Http(String method, String url) implements Call {
        private static final Set<String> METHODS = Set.of("GET", "POST", "PUT", "PATCH", "DELETE");

        public Http {
            if (!METHODS.contains(method)) {
                throw new IllegalArgumentException("no method of a step: " + method);
            }
            SagaPlan.text("a URL", url, SagaPlan.LONGEST_URL);
            try {
                URI uri = new URI(url);
                String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
                boolean fits = (scheme.equals("http") || scheme.equals("https"))
                        && uri.getHost() != null
                        && uri.getRawUserInfo() == null
                        && uri.getRawFragment() == null;
                if (!fits) {
                    throw new IllegalArgumentException("no URL of a step: " + url);
                }
            } catch (URISyntaxException e) {
                throw new IllegalArgumentException("no URL of a step: " + url, e);
            }
        }

        @Override
        public String target() {
            return method + " " + url;
        }
    }

    /**
     * The application that owns the definition is asked which step comes next. It answers with the name of one of them, as a JSON string; any other answer is a failure of this step that no
     * repetition mends. Steps that come after it and were not chosen are left out (see {@link SagaPlan}).
     *
     * @param resource by convention {@code saga/<definition>@<version>}; which choice it is tells the name of the step
     * @param successors names of steps that have this one among those they come {@linkplain Step#after after}
     * @param back names of earlier steps to which it may go back: a loop
     * @param maxRounds how often it may go back in all; going back once more is a failure of this step. 0 without {@code back}
     */
    record Choice(String resource, List<String> successors, List<String> back, int maxRounds) implements Work {
        public Choice {
            SagaPlan.text("a resource", resource, SagaPlan.LONGEST_RESOURCE);
            successors = List.copyOf(successors);
            back = List.copyOf(back);
            Set<String> all = new HashSet<>(successors);
            all.addAll(back);
            if (all.isEmpty() || all.size() != successors.size() + back.size()) {
                throw new IllegalArgumentException("a choice needs steps to choose from, each of them once");
            }
            if (back.isEmpty() ? maxRounds != 0 : maxRounds < 1 || maxRounds > SagaPlan.MOST_ROUNDS) {
                throw new IllegalArgumentException(
                        "a choice that goes back does so 1 to " + SagaPlan.MOST_ROUNDS + " times, not " + maxRounds);
            }
        }
    }

    /** Nothing: it is done as soon as it is its turn, with the result {@code null}. A place to come together, the beginning or the end of a part. */
    record Pass() implements Work {}

    /**
     * The saga fails here, and is compensated.
     *
     * @param cause what people and callers are told
     */
    record Fail(String cause) implements Work {
        public Fail {
            SagaPlan.text("a cause", cause, SagaPlan.LONGEST_CAUSE);
        }
    }
}
