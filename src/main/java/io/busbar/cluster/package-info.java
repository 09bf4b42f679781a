/**
 * Where instances live, on several nodes.
 *
 * <p>{@link io.busbar.cluster.Cluster} is the door: it answers at the common addresses of every
 * node, by the {@link io.busbar.cluster.Directory} that all nodes share, and passes each operation
 * to the node that owns the instance. {@link io.busbar.cluster.Members} is the only class that
 * knows Hazelcast; what blocks in there runs on threads of this room, never on an event loop.
 */
package io.busbar.cluster;
