package io.txn.client.jdbc.corpus;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of cases; {@code corpus/README.md} says how one is written. Everything that depends on the target or on a variant is put in as text, and what
 * comes out is read then.
 */
public final class CorpusFile {

    private static final Pattern PLACE = Pattern.compile("\\{([a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)?)}");
    private static final Pattern ONLY_ON = Pattern.compile("\\[(!?[a-z0-9]+(?: !?[a-z0-9]+)*)] (.*)");
    private static final Pattern CALL =
            Pattern.compile("((?:[a-z]+(?:\\([^)]*\\))?)(?: [a-z]+(?:\\([^)]*\\))?)*)?: (.*)");
    private static final Set<String> RUNS = Set.of("tx", "auto", "split");
    private static final Set<String> VIAS = Set.of("literal", "prepared", "bound", "batch");

    /** Where the values are kept that get a row of their own in the table of outcomes; no name in a file. */
    private static final String TABLE_ROW = " row";

    private final String name;
    private final List<Block> blocks;

    private CorpusFile(String name, List<Block> blocks) {
        this.name = name;
        this.blocks = blocks;
    }

    /** A line that begins a block, and the lines that belong to it. */
    private record Block(String kind, String rest, List<String> body, int line) {}

    /** The files that there are, in order. */
    public static List<CorpusFile> all() {
        List<CorpusFile> files = new ArrayList<>();
        List<Block> common = blocks(read("common"), "common");
        for (String name : read("files").lines().toList()) {
            List<Block> blocks = new ArrayList<>(common);
            blocks.addAll(blocks(read(name), name));
            files.add(new CorpusFile(name, blocks));
        }
        return files;
    }

    private static String read(String name) {
        String resource = "/corpus/" + name + ".txt";
        try (InputStream in = CorpusFile.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("no " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Block> blocks(String text, String file) {
        List<Block> blocks = new ArrayList<>();
        String carried = "";
        int number = 0;
        for (String raw : text.lines().toList()) {
            number++;
            String line = carried.isEmpty() ? raw.stripTrailing() : carried + raw.strip();
            carried = "";
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            if (line.endsWith("\\")) {
                carried = line.substring(0, line.length() - 1);
            } else if (line.startsWith(" ")) {
                if (blocks.isEmpty()) {
                    throw new IllegalArgumentException(file + ":" + number + ": belongs to nothing");
                }
                blocks.get(blocks.size() - 1).body().add(line.strip());
            } else {
                int blank = line.indexOf(' ');
                blocks.add(new Block(
                        blank < 0 ? line : line.substring(0, blank),
                        blank < 0 ? "" : line.substring(blank + 1).strip(),
                        new ArrayList<>(),
                        number));
            }
        }
        return blocks;
    }

    /**
     * The cases for the target.
     *
     * @param full also those of the long form
     */
    public List<CorpusCase> cases(Target target, boolean full) {
        List<CorpusCase> cases = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        Scope scope = new Scope(target, full);
        for (Block block : blocks) {
            List<String> body = on(target, full, block.body());
            switch (block.kind()) {
                case "words" -> body.forEach(scope::word);
                case "table" -> scope.table(block.rest(), body);
                case "fixture" -> scope.fixtures.put(block.rest(), body);
                case "case" -> {
                    try {
                        for (CorpusCase one : new Template(name + '/' + block.rest(), body, scope).expand()) {
                            if (!names.add(one.name())) {
                                throw new IllegalArgumentException("two are called " + one.name());
                            }
                            cases.add(one);
                        }
                    } catch (RuntimeException e) {
                        throw new IllegalArgumentException(
                                name + ".txt:" + block.line() + ": " + block.rest() + ": " + e.getMessage(), e);
                    }
                }
                default -> throw new IllegalArgumentException(name + ".txt:" + block.line() + ": " + block.kind());
            }
        }
        return cases;
    }

    /** Lines without those that are for other targets, or for the long form only. */
    private static List<String> on(Target target, boolean full, List<String> lines) {
        List<String> kept = new ArrayList<>();
        for (String line : lines) {
            Matcher only = ONLY_ON.matcher(line);
            if (!only.matches()) {
                kept.add(line);
            } else {
                List<String> words = new ArrayList<>(List.of(only.group(1).split(" ")));
                boolean inShortForm = !words.remove("long");
                if ((inShortForm || full) && (words.isEmpty() || words.stream().anyMatch(target::answersTo))) {
                    kept.add(only.group(2).strip());
                }
            }
        }
        return kept;
    }

    /** What names mean at a place of the file. */
    private static final class Scope {
        final Target target;
        final boolean full;
        final Map<String, String> words = new LinkedHashMap<>();
        final Map<String, List<Map<String, String>>> tables = new LinkedHashMap<>();
        final Map<String, List<String>> fixtures = new LinkedHashMap<>();

        Scope(Target target, boolean full) {
            this.target = target;
            this.full = full;
        }

        void word(String line) {
            int equals = line.indexOf(" = ");
            words.put(
                    line.substring(0, equals).strip(),
                    line.substring(equals + 3).strip());
        }

        void table(String header, List<String> body) {
            String[] columns = header.split(" +\\| +");
            List<Map<String, String>> rows = new ArrayList<>();
            for (String line : body) {
                String[] cells = line.split(" +\\| +| +\\|$", -1);
                if (cells.length != columns.length) {
                    throw new IllegalArgumentException(
                            "table " + header + " has " + columns.length + " columns: " + line);
                }
                Map<String, String> row = new LinkedHashMap<>();
                row.put(columns[0], cells[0]);
                for (int i = 1; i < cells.length; i++) {
                    row.put(columns[0] + '.' + columns[i], cells[i]);
                }
                rows.add(row);
            }
            tables.put(columns[0], rows);
        }
    }

    private static String fill(String text, Map<String, String> values) {
        String filled = text;
        for (int depth = 0; depth < 5; depth++) {
            Matcher place = PLACE.matcher(filled);
            StringBuilder out = new StringBuilder();
            boolean found = false;
            while (place.find()) {
                String value = values.get(place.group(1));
                if (value == null) {
                    throw new IllegalArgumentException("nothing is called " + place.group());
                }
                place.appendReplacement(out, Matcher.quoteReplacement(value));
                found = true;
            }
            if (!found) {
                return filled;
            }
            place.appendTail(out);
            filled = out.toString();
        }
        throw new IllegalArgumentException("goes round in circles: " + text);
    }

    /** A case with its variants. */
    private static final class Template {
        private final String group;
        private final List<String> body;
        private final Scope scope;
        private final List<String> axes = new ArrayList<>();
        private List<String> runs = List.of("tx", "auto");
        private boolean runsNamed = true;
        private List<String> vias = List.of("literal");

        Template(String group, List<String> body, Scope scope) {
            this.group = group;
            this.body = body;
            this.scope = scope;
        }

        List<CorpusCase> expand() {
            List<String> lines = new ArrayList<>();
            for (String line : body) {
                String[] words = line.split(" +");
                switch (words[0]) {
                    case "on" -> {
                        if (Arrays.stream(words).skip(1).noneMatch(scope.target::answersTo)) {
                            return List.of();
                        }
                    }
                    case "long" -> {
                        if (!scope.full) {
                            return List.of();
                        }
                    }
                    case "vary" -> axes.addAll(Arrays.asList(words).subList(1, words.length));
                    case "run" -> run(words);
                    case "via" -> vias = known(words, VIAS);
                    default -> lines.add(line);
                }
            }
            if (scope.target == Target.MYSQL && !lines.contains("driver") && !group.startsWith("jdbc/")) {
                return List.of(); // the driver makes no difference here
            }
            lines.remove("driver");
            List<CorpusCase> cases = new ArrayList<>();
            vary(0, new LinkedHashMap<>(scope.words), new ArrayList<>(), lines, cases);
            return cases;
        }

        /** Those in parentheses are for the long form. */
        private void run(String[] words) {
            runs = new ArrayList<>();
            for (String one :
                    known(String.join(" ", words).replaceAll("[()]", "").split(" "), RUNS)) {
                if (scope.full || !Arrays.asList(words).contains('(' + one + ')')) {
                    runs.add(one);
                }
            }
            runsNamed = words.length > 2;
        }

        private static List<String> known(String[] words, Set<String> allowed) {
            List<String> given = Arrays.asList(words).subList(1, words.length);
            if (!allowed.containsAll(given)) {
                throw new IllegalArgumentException(String.join(" ", words));
            }
            return given;
        }

        private void vary(
                int axis,
                Map<String, String> values,
                List<String> variant,
                List<String> lines,
                List<CorpusCase> cases) {
            if (axis < axes.size()) {
                String[] chosen = axes.get(axis).replace("!", "").split("[(,)]");
                List<Map<String, String>> rows = scope.tables.get(chosen[0]);
                if (rows == null) {
                    throw new IllegalArgumentException("no table " + chosen[0]);
                }
                for (Map<String, String> row : rows) {
                    if (chosen.length > 1 && !Arrays.asList(chosen).contains(row.get(chosen[0]))) {
                        continue;
                    }
                    Map<String, String> with = new LinkedHashMap<>(values);
                    with.putAll(row);
                    List<String> named = new ArrayList<>(variant);
                    named.add(row.get(chosen[0]));
                    String rowOf = axes.get(axis).endsWith("!") ? row.get(chosen[0]) : null;
                    if (rowOf != null) {
                        with.merge(TABLE_ROW, " " + rowOf, String::concat);
                    }
                    vary(axis + 1, with, named, lines, cases);
                }
                return;
            }
            for (String run : runs) {
                for (String via : vias) {
                    List<String> named = new ArrayList<>(variant);
                    if (runsNamed) {
                        named.add(run);
                    }
                    if (vias.size() > 1) {
                        named.add(via);
                    }
                    cases.add(read(String.join(",", named), run, via, values, lines));
                }
            }
        }

        private CorpusCase read(
                String variant, String run, String via, Map<String, String> values, List<String> lines) {
            Fixture fixture = null;
            CorpusCase.Wanted wanted = CorpusCase.Wanted.EXACT;
            Outcome known = Outcome.EXACT;
            Set<String> varies = new LinkedHashSet<>();
            Set<String> left = new LinkedHashSet<>();
            String url = "";
            List<String> own = new ArrayList<>();
            List<String> steps = new ArrayList<>();
            // A value may itself be for one target only.
            for (String line : on(
                    scope.target,
                    scope.full,
                    lines.stream().map(l -> fill(l, values)).toList())) {
                int blank = line.indexOf(' ');
                String rest = blank < 0 ? "" : line.substring(blank + 1).strip();
                switch (blank < 0 ? line : line.substring(0, blank)) {
                    case "use" -> fixture = fixture(rest, values);
                    case "make", "+" -> own.add(line.startsWith("+") ? line : rest);
                    case "expect" -> wanted = CorpusCase.Wanted.valueOf(rest.toUpperCase(Locale.ROOT));
                    case "known" -> known = Outcome.valueOf(rest.toUpperCase(Locale.ROOT));
                    case "varies" -> varies.addAll(Arrays.asList(rest.split(" +")));
                    case "left" -> left.addAll(Arrays.asList(rest.split(" +")));
                    case "url" -> url = rest.equals("-") ? "" : rest;
                    default -> steps.add(line);
                }
            }
            if (!own.isEmpty()) {
                List<String> all = new ArrayList<>();
                if (fixture != null) {
                    all.addAll(fixture.create());
                    fixture.rows().forEach(row -> all.add("+ " + row));
                }
                all.addAll(own);
                fixture = fixtureOf(fixture == null ? "own" : fixture.name() + "-own", all);
            }
            if (fixture == null) {
                throw new IllegalArgumentException("uses no fixture");
            }
            return new CorpusCase(
                    group,
                    group + values.getOrDefault(TABLE_ROW, ""),
                    variant,
                    scope.target,
                    fixture,
                    wanted,
                    known,
                    CorpusCase.Mode.valueOf(run.toUpperCase(Locale.ROOT)),
                    varies,
                    left,
                    url,
                    new Steps(via).read(steps));
        }

        private Fixture fixture(String name, Map<String, String> values) {
            List<String> lines = scope.fixtures.get(name);
            if (lines == null) {
                throw new IllegalArgumentException("no fixture " + name);
            }
            return fixtureOf(
                    name,
                    on(
                            scope.target,
                            scope.full,
                            lines.stream().map(l -> fill(l, values)).toList()));
        }

        private static Fixture fixtureOf(String name, List<String> lines) {
            List<String> create = new ArrayList<>();
            List<String> rows = new ArrayList<>();
            for (String line : lines) {
                if (line.startsWith("+ ")) {
                    rows.add(line.substring(2));
                } else {
                    create.add(line);
                }
            }
            return new Fixture(name, create, rows);
        }
    }

    /** Reads steps. */
    private static final class Steps {
        private final String via;
        private final List<Step> steps = new ArrayList<>();

        Steps(String via) {
            this.via = via;
        }

        List<Step> read(List<String> lines) {
            for (String line : lines) {
                if (line.startsWith("? ")) {
                    bind(line.substring(2));
                } else if (line.startsWith("& ")) {
                    lastCall().more().add(line.substring(2));
                } else if (line.startsWith("outside: ")) {
                    steps.add(new Step.Outside(line.substring(9)));
                } else {
                    Matcher call = CALL.matcher(line);
                    if (call.matches()) {
                        call(call.group(1) == null ? "" : call.group(1), call.group(2));
                    } else if (!line.endsWith(":")) {
                        control(line);
                    }
                }
            }
            return steps;
        }

        private Step.Call lastCall() {
            if (!steps.isEmpty() && steps.get(steps.size() - 1) instanceof Step.Call call) {
                return call;
            }
            throw new IllegalArgumentException("no statement before");
        }

        private void bind(String text) {
            lastCall().bindings().add(text.equals("-") ? List.of() : Binding.listOf(text));
        }

        private void control(String line) {
            String[] words = line.split(" +");
            String name = words[words.length - 1];
            Step.Control control =
                    switch (words[0]) {
                        case "savepoint" -> Step.Control.SAVEPOINT;
                        case "back" -> Step.Control.BACK;
                        case "release" -> Step.Control.RELEASE;
                        case "commit" -> Step.Control.COMMIT;
                        case "rollback" -> Step.Control.ROLLBACK;
                        case "local" -> Step.Control.LOCAL;
                        case "autocommit" ->
                            name.equals("on") ? Step.Control.AUTOCOMMIT_ON : Step.Control.AUTOCOMMIT_OFF;
                        default -> throw new IllegalArgumentException("no step: " + line);
                    };
            steps.add(new Step.Other(control, name));
        }

        private void call(String head, String text) {
            Step.Api api = Step.Api.UPDATE;
            String keys = null;
            boolean fails = false;
            for (String word : head.isEmpty() ? new String[0] : head.split(" +(?![^(]*\\))")) {
                int open = word.indexOf('(');
                switch (open < 0 ? word : word.substring(0, open)) {
                    case "keys" -> keys = open < 0 ? "*" : word.substring(open + 1, word.length() - 1);
                    case "fails" -> fails = true;
                    default -> api = Step.Api.valueOf(word.toUpperCase(Locale.ROOT));
                }
            }
            if (text.isBlank() || text.equals("-")) {
                return; // a variant may leave a statement out
            }
            List<List<Binding>> bindings = new ArrayList<>();
            List<Binding> taken = new ArrayList<>();
            boolean parameters = via.equals("bound") || via.equals("batch");
            String sql = withoutMarks(text, parameters ? taken : null);
            boolean plainUpdate = api == Step.Api.UPDATE;
            if (!taken.isEmpty() || !via.equals("literal") && plainUpdate) {
                bindings.add(taken);
            }
            if (via.equals("batch") && plainUpdate) {
                api = Step.Api.BATCH;
            }
            steps.add(new Step.Call(api, sql, bindings, new ArrayList<>(), keys, fails));
        }

        /** Text whose values stand in {@code $(…)}: without these marks, or with question marks in their place. */
        private static String withoutMarks(String text, List<Binding> taken) {
            StringBuilder out = new StringBuilder();
            int from = 0;
            int mark = text.indexOf("$(");
            while (mark >= 0) {
                int end = mark + 2;
                boolean quoted = false;
                while (quoted || text.charAt(end) != ')') {
                    quoted ^= text.charAt(end) == '\'';
                    end++;
                }
                String value = text.substring(mark + 2, end);
                out.append(text, from, mark);
                if (taken == null) {
                    out.append(value);
                } else {
                    taken.add(Binding.of(value));
                    out.append('?');
                }
                from = end + 1;
                mark = text.indexOf("$(", from);
            }
            return out.append(text.substring(from)).toString();
        }
    }
}
