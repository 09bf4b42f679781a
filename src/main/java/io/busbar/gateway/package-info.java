/**
 * The outside: HTTP, on event loops. One more client of the bus, which never sees engine or host.
 *
 * <p>{@link io.busbar.gateway.HttpGateway} is the door.
 */
package io.busbar.gateway;
