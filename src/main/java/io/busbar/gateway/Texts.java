package io.busbar.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.http.WebSocketFrame;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Puts the frames of a WebSocket together to texts (RFC 6455 §5.4), and closes it where what comes
 * is too large or no text, before more of it is kept.
 */
final class Texts {
  private static final short NOT_TEXT = 1003;
  private static final short BAD_TEXT = 1007;
  private static final short TOO_BIG = 1009;

  private final ServerWebSocket socket;
  private final int most;
  private Buffer begun; // null: no message is
  private boolean closed;

  Texts(ServerWebSocket socket, int most) {
    this.socket = socket;
    this.most = most;
  }

  /** The text that ends with this frame; empty where none does. */
  Optional<String> add(WebSocketFrame frame) {
    if (closed || frame.isClose() || frame.isPing()) {
      return Optional.empty();
    } else if (frame.isBinary()) {
      return close(NOT_TEXT, "only text is taken here");
    } else if (!frame.isText() && !frame.isContinuation()) {
      return Optional.empty();
    }
    Buffer data = frame.binaryData();
    if (data.length() + (begun == null ? 0 : begun.length()) > most) {
      return close(TOO_BIG, "a message may have " + most + " bytes");
    }
    Buffer all = begun == null ? data : begun.appendBuffer(data);
    begun = frame.isFinal() ? null : all;
    return frame.isFinal() ? decoded(all) : Optional.empty();
  }

  private Optional<String> decoded(Buffer bytes) {
    try {
      ByteBuffer whole = ByteBuffer.wrap(bytes.getBytes());
      return Optional.of(StandardCharsets.UTF_8.newDecoder().decode(whole).toString());
    } catch (CharacterCodingException e) {
      return close(BAD_TEXT, "it is not UTF-8");
    }
  }

  private Optional<String> close(short code, String why) {
    closed = true;
    begun = null;
    socket.close(code, why);
    return Optional.empty();
  }
}
