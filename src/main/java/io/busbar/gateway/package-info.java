/**
 * The outside: HTTP, on event loops. One more client of the bus, which never sees engine or host.
 *
 * <p>{@link io.busbar.gateway.HttpGateway} is the door. What belongs to one socket (line, door,
 * session, outlet, frames) is on that socket's event loop only; what all share is safe on any.
 */
package io.busbar.gateway;
