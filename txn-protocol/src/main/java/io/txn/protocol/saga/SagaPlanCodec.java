package io.txn.protocol.saga;

import io.txn.protocol.extension.Packed;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The bytes of a plan: format, definition, version, result, steps. Numbers and order are for ever; what must change gets a new format. */
final class SagaPlanCodec {

    private static final int NONE = 0;
    private static final int BEAN = 1;
    private static final int HTTP = 2;
    private static final int CHOICE = 3;
    private static final int PASS = 4;
    private static final int FAIL = 5;

    private static final Recovery[] RECOVERIES = Recovery.values();

    private SagaPlanCodec() {}

    static void write(SagaPlan plan, int format, DataOutputStream out) throws IOException {
        out.writeByte(format);
        Packed.string(out, plan.definition());
        out.writeInt(plan.version());
        Packed.string(out, plan.result());
        out.writeShort(plan.steps().size());
        for (Step step : plan.steps()) {
            Packed.string(out, step.name());
            work(step.work(), out);
            names(step.after(), out);
            work(step.compensation(), out);
            policy(step.policy(), out);
            policy(step.compensationPolicy(), out);
            out.writeByte(step.recovery().ordinal());
            Packed.string(out, step.inputFrom());
            names(step.results(), out);
            Packed.string(out, step.part());
        }
    }

    static SagaPlan read(DataInputStream in, int format) throws IOException {
        if (in.readUnsignedByte() != format) {
            throw new IOException("another format");
        }
        String definition = Packed.text(in);
        int version = in.readInt();
        String result = Packed.string(in);
        int count = Packed.count(in);
        List<Step> steps = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            String name = Packed.text(in);
            Work work = work(in);
            if (work == null) {
                throw new IOException("a step does nothing");
            }
            List<String> after = names(in);
            Work undo = work(in);
            if (undo != null && !(undo instanceof Work.Call)) {
                throw new IOException("a compensation is no call");
            }
            steps.add(new Step(
                    name,
                    work,
                    after,
                    (Work.Call) undo,
                    policy(in),
                    policy(in),
                    Packed.constant(in, RECOVERIES),
                    Packed.string(in),
                    names(in),
                    Packed.string(in)));
        }
        return new SagaPlan(definition, version, steps, result);
    }

    private static void work(@Nullable Work work, DataOutputStream out) throws IOException {
        if (work == null) {
            out.writeByte(NONE);
        } else if (work instanceof Work.Bean bean) {
            out.writeByte(BEAN);
            Packed.string(out, bean.resource());
        } else if (work instanceof Work.Http http) {
            out.writeByte(HTTP);
            Packed.string(out, http.method());
            Packed.string(out, http.url());
        } else if (work instanceof Work.Choice choice) {
            out.writeByte(CHOICE);
            Packed.string(out, choice.resource());
            names(choice.successors(), out);
            names(choice.back(), out);
            out.writeInt(choice.maxRounds());
        } else if (work instanceof Work.Pass) {
            out.writeByte(PASS);
        } else if (work instanceof Work.Fail fail) {
            out.writeByte(FAIL);
            Packed.string(out, fail.cause());
        } else {
            throw new AssertionError("no code for " + work);
        }
    }

    private static @Nullable Work work(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        return switch (kind) {
            case NONE -> null;
            case BEAN -> new Work.Bean(Packed.text(in));
            case HTTP -> new Work.Http(Packed.text(in), Packed.text(in));
            case CHOICE -> new Work.Choice(Packed.text(in), names(in), names(in), in.readInt());
            case PASS -> new Work.Pass();
            case FAIL -> new Work.Fail(Packed.text(in));
            default -> throw new IOException("no kind of step " + kind);
        };
    }

    private static void names(List<String> names, DataOutputStream out) throws IOException {
        out.writeShort(names.size());
        for (String name : names) {
            Packed.string(out, name);
        }
    }

    private static List<String> names(DataInputStream in) throws IOException {
        int count = Packed.count(in);
        List<String> names = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            names.add(Packed.text(in));
        }
        return names;
    }

    private static void policy(Policy policy, DataOutputStream out) throws IOException {
        out.writeLong(policy.timeout());
        out.writeLong(policy.callTimeout());
        out.writeLong(policy.firstDelay());
        out.writeDouble(policy.factor());
        out.writeLong(policy.maxDelay());
        out.writeInt(policy.maxAttempts());
    }

    private static Policy policy(DataInputStream in) throws IOException {
        return new Policy(in.readLong(), in.readLong(), in.readLong(), in.readDouble(), in.readLong(), in.readInt());
    }
}
