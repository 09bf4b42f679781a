/**
 * What Busbar talks about: immutable records without I/O, used by every other room from any thread.
 * {@link io.busbar.model.InstanceSpec} is the door: all that is needed to build an instance.
 */
package io.busbar.model;
