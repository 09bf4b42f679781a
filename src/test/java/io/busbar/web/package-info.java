/** The JavaScript client in Node, and the console in a browser, each against real nodes. */
package io.busbar.web;
