/**
 * Fault tests of the cluster: workers are killed, frozen, cut off, ended and restarted under load,
 * and what callers were told is compared with what workers ran, call by call.
 *
 * <p>A {@link io.busbar.chaos.Trial} is one cluster of processes on this machine: a {@link
 * io.busbar.chaos.Driver}, which is a member that no fault strikes and that gets no instances, and
 * three workers. The driver calls at a steady pace, whatever the answers take ({@link
 * io.busbar.chaos.Load}): every other call by the Java client, the rest as raw messages to {@code
 * wasm.instances}. Each {@link io.busbar.chaos.Call} has an id, which the guest passes to a Java
 * function of its node, which logs it ({@link io.busbar.chaos.Execution}) before the guest answers
 * three times the id and one. {@link io.busbar.chaos.Sightings} compares both logs as sets; a
 * {@link io.busbar.chaos.Scenario} is what is done meanwhile, and {@link io.busbar.chaos.Findings}
 * sets what was seen against the time of that.
 *
 * <p>The same is done to {@link io.busbar.chaos.PlainNode}s: plain Vert.x, one consumer in each
 * process, requests of two seconds, and Hazelcast as vertx-hazelcast brings it along, but for where
 * members meet.
 *
 * <p>{@code ChaosIT}, in {@code mvn verify}, asserts nothing that depends on how fast the machine
 * is. {@code ChaosLong}, in {@code mvn -Pchaos verify}, asserts what Busbar promises, and wants a
 * machine that does nothing else: two busy cores make nodes suspect each other within the standard
 * 750 ms. Its tables are in {@code target/chaos.md}; what each process logged, and when which fault
 * struck, is in {@code target/chaos}. A cut needs network namespaces, so root and iproute2; without
 * them that test is skipped, or fails with {@code -Dbusbar.require.netns=true}.
 */
package io.busbar.chaos;
