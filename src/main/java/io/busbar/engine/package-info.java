/**
 * One node's WebAssembly: synchronous, without Vert.x, and the only room that names Chicory.
 *
 * <p>{@link io.busbar.engine.Compiler} turns bytes into modules, once per digest; {@link
 * io.busbar.engine.Guest} is one instance, touched by one thread at a time; {@link
 * io.busbar.engine.ModuleStore} keeps the bytes. A guest is stopped by interrupting its thread.
 */
package io.busbar.engine;
