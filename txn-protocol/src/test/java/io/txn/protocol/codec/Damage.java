package io.txn.protocol.codec;

import java.util.Arrays;
import java.util.Random;

/** Damages bytes in the ways in which bytes get damaged. */
public final class Damage {

    private static final byte[] TELLING = {0, 1, -1, 0x7F, (byte) 0x80, (byte) 0xDA, 2, 16};

    private Damage() {}

    /** A damaged copy (in one case of eight an intact one). */
    public static byte[] of(byte[] frame, Random random) {
        byte[] damaged = frame.clone();
        switch (random.nextInt(8)) {
            case 0 -> {
                return damaged;
            }
            case 1 -> flipBits(damaged, random, 1);
            case 2 -> flipBits(damaged, random, 8);
            case 3 -> setTelling(damaged, random, damaged.length);
            case 4 -> setTelling(damaged, random, Math.min(16, damaged.length));
            case 5 -> {
                return Arrays.copyOf(damaged, random.nextInt(damaged.length + 1));
            }
            case 6 -> {
                byte[] longer = Arrays.copyOf(damaged, damaged.length + 1 + random.nextInt(40));
                int at = random.nextInt(damaged.length);
                int gap = longer.length - damaged.length;
                System.arraycopy(damaged, at, longer, at + gap, damaged.length - at);
                return longer;
            }
            default -> {
                int from = random.nextInt(damaged.length);
                int to = from + random.nextInt(damaged.length - from);
                random.nextBytes(damaged);
                System.arraycopy(frame, 0, damaged, 0, from);
                System.arraycopy(frame, to, damaged, to, frame.length - to);
            }
        }
        return damaged;
    }

    private static void flipBits(byte[] bytes, Random random, int times) {
        for (int i = 0; i < times; i++) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
    }

    private static void setTelling(byte[] bytes, Random random, int within) {
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            bytes[random.nextInt(within)] = TELLING[random.nextInt(TELLING.length)];
        }
    }
}
