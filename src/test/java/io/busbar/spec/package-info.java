/**
 * The specification's own test suite, run through the Java client on a node in this JVM. {@code
 * SpecSuiteTest} is the door: it reads each script ({@code Script}), plays it ({@code Player}) on a
 * {@code Stage} of live instances, and compares the {@code Tally} with what is expected.
 */
package io.busbar.spec;
