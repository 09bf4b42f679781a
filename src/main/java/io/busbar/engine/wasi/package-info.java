/**
 * WASI preview 1 for guests that are not trusted: files in memory, streams that are bounded, waits
 * that can be interrupted, and nothing of the node unless it is given.
 *
 * <p>{@link io.busbar.engine.wasi.Wasi} is what one guest may call, on that guest's thread; {@link
 * io.busbar.engine.wasi.Stdio} is the other end of its streams, for any thread.
 */
package io.busbar.engine.wasi;
