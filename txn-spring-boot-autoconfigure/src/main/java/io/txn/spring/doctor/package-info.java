/**
 * What an application that cannot get on needs to know: each part of the starter looks at itself, at the start and whenever it is asked, and says what is wrong with what to do about it.
 * Knows the client and nothing of the wiring.
 */
@NullMarked
package io.txn.spring.doctor;

import org.jspecify.annotations.NullMarked;
