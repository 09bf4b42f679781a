/**
 * The Java API: modules and instances as objects, on any node; it knows addresses, never the host.
 *
 * <p>{@link io.busbar.client.WasmClient} is the door. Safe for use from any thread; futures
 * complete on the context that asked, where there is one.
 */
package io.busbar.client;
