/**
 * Wires the rooms together: {@link io.busbar.WasmHost} for programs, {@link io.busbar.Main} for
 * terminals, {@link io.busbar.Config} for both. The only package that knows all others.
 */
package io.busbar;
