/**
 * What calls, instances and memories cost, beside the bus and the engine alone; see {@code mvn
 * -Pbench}.
 *
 * <p>The classes named {@code …Benchmark} run under JMH, {@link io.busbar.bench.Fleet} by itself.
 */
package io.busbar.bench;
