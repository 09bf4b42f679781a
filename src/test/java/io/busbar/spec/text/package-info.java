/**
 * The text format as far as the suite needs it and the product's own tool cannot read it: {@code
 * Assembler} is the door. Nothing is checked but that names are known: our validator judges.
 */
package io.busbar.spec.text;
