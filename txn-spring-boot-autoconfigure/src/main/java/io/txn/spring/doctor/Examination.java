package io.txn.spring.doctor;

import java.util.List;

/**
 * Looks at one part of what global transactions need. Any bean of this type takes part; their order is that of the screen. It changes nothing, may block for a few seconds, and may be called
 * by several threads.
 */
public interface Examination {

    /** What is looked at, in a word or two: the heading of its findings. */
    String about();

    /** What was found, healthy or not. */
    List<Finding> examine();
}
