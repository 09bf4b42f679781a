/**
 * The protocol and nothing else: addresses, headers, bodies and failures, on any thread.
 *
 * <p>{@link io.busbar.wire.Endpoint} is the door: an address and its actions. {@link
 * io.busbar.wire.Ask} is one question, {@link io.busbar.wire.Received} the message it came in, on
 * its way to exactly one answer.
 */
package io.busbar.wire;
