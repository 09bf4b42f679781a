/** A first look: {@code mvn -q -Pdemo} runs real programs on the event bus. */
package io.busbar.demo;
