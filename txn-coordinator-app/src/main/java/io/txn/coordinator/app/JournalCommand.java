package io.txn.coordinator.app;

import io.txn.coordinator.CoordinatorOptions;
import io.txn.coordinator.JournalTool;
import io.txn.protocol.TxnException;
import io.txn.protocol.Xid;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * {@code journal check|list|repair} on the command line of the coordinator's jar: the tool for a journal while no coordinator runs. Ends with 0 when the
 * journal is sound, 1 when it is damaged or cannot be used, 2 when the command is none.
 */
final class JournalCommand {

    static final String NAME = "journal";

    private static final String USAGE = """
            usage: journal check  [--data-dir=<dir>]
                   journal list   [--data-dir=<dir>] [--records] [--xid=<xid>]
                   journal repair [--data-dir=<dir>] --cut-at-damage
            check   verifies every file and every record, and names damage with file and offset; changes nothing
            list    shows segments and snapshots; --records what the records say, --xid those of one transaction
            repair  copies all files aside, then cuts the log at its first damage and drops damaged snapshots: WHAT IS
                    BEHIND THE DAMAGE IS LOST, and is printed as far as it can be read
            """;

    private final PrintStream out;
    private final InstantSource clock;
    private final RandomGenerator random;

    JournalCommand(PrintStream out, InstantSource clock, RandomGenerator random) {
        this.out = out;
        this.clock = clock;
        this.random = random;
    }

    /** What is behind {@code journal} on the command line. */
    int run(String... arguments) {
        List<String> rest = new ArrayList<>(List.of(arguments));
        String command = rest.isEmpty() ? "" : rest.remove(0);
        String dataDir = option(rest, "--data-dir=");
        String xid = option(rest, "--xid=");
        boolean records = rest.remove("--records");
        boolean cut = rest.remove("--cut-at-damage");
        boolean fits =
                switch (command) {
                    case "check" -> xid == null && !records && !cut;
                    case "list" -> !cut;
                    case "repair" -> cut && xid == null && !records;
                    default -> false;
                };
        if (!fits || !rest.isEmpty()) {
            out.print(USAGE);
            return 2;
        }
        try {
            JournalTool tool =
                    new JournalTool(Path.of(dataDir == null ? CoordinatorOptions.DEFAULT_DATA_DIR : dataDir), out);
            return switch (command) {
                case "check" -> tool.check() ? 0 : 1;
                case "repair" -> tool.cutAtDamage(clock.instant(), random) ? 0 : 1;
                default -> {
                    tool.list(records, xid == null ? null : new Xid(xid));
                    yield 0;
                }
            };
        } catch (TxnException | IllegalArgumentException e) {
            out.println(e.getMessage());
            return 1;
        }
    }

    private static @Nullable String option(List<String> arguments, String prefix) {
        for (String argument : arguments) {
            if (argument.startsWith(prefix)) {
                arguments.remove(argument);
                return argument.substring(prefix.length());
            }
        }
        return null;
    }
}
