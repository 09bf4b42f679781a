package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;

/**
 * Sets room aside for the body of each request before anything of it is read, and refuses it where
 * there is none: so many clients at once cannot make the node keep more than that.
 */
final class Uploads implements Handler<RoutingContext> {
  private static final String PLACE = "busbar.place";

  private final long each;
  private final Room room;

  /**
   * With how many bytes one body may have, and the room for all.
   *
   * @param each what is said to be larger is refused unread
   */
  Uploads(long each, Room room) {
    this.each = each;
    this.room = room;
  }

  @Override
  public void handle(RoutingContext ctx) {
    String encoding = ctx.request().getHeader(HttpHeaders.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      throw Failure.BAD_REQUEST.because(
          "`Content-Encoding: %s` is not taken here, only plain bodies", Names.shown(encoding));
    }
    long bytes = bytes(ctx);
    if (bytes > each) {
      throw Failure.TOO_LARGE.because("a request body of %d bytes; at most %d", bytes, each);
    }
    Room.Place place = room.place(Guard.of(ctx));
    place.take(bytes);
    ctx.put(PLACE, place);
    ctx.addEndHandler(done -> place.leave());
    ctx.next();
  }

  /** What the request has taken of the room. */
  static Room.Place place(RoutingContext ctx) {
    return ctx.get(PLACE);
  }

  /** As many as it says; where it does not say, as many as there may be. */
  private long bytes(RoutingContext ctx) {
    String length = ctx.request().getHeader(HttpHeaders.CONTENT_LENGTH);
    if (length != null) {
      return Requests.number("Content-Length", length);
    }
    return ctx.request().headers().contains(HttpHeaders.TRANSFER_ENCODING) ? each : 0;
  }
}
