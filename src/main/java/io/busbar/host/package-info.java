/**
 * The instances of this node: who answers for them, and on which thread their guests run.
 *
 * <p>{@link io.busbar.host.Host} is the door. Messages are handled on event loops, and what is
 * asked in this JVM without one on the thread of who asks; neither ever blocks. Guests run in their
 * {@link io.busbar.host.Lane} on worker threads, and what blocks otherwise (parsing, compiling,
 * disk) runs on a small executor of its own.
 */
package io.busbar.host;
