/**
 * Whether the bytes of an untrusted module may reach the engine's parser at all, and what of them.
 *
 * <p>{@link io.busbar.engine.admission.Admission} is the door: one pass over the bytes, on the
 * caller's thread, that sizes nothing by a count the bytes merely declare. What it refuses, and
 * from which number on, is the table {@link io.busbar.engine.admission.ModuleLimit}.
 */
package io.busbar.engine.admission;
