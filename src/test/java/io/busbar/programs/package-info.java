/**
 * Real programs that nobody here wrote, run over the event bus: their answers are known, and so is
 * the SHA-256 of their whole memory afterwards, which another engine (V8) left behind after the
 * same calls. {@code Node} is the door; programs come from {@code WebJar} or {@code NpmPackage}.
 */
package io.busbar.programs;
