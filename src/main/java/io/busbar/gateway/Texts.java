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

  private static final short NOT_ENDED = 1008;

  private static final char REPLACEMENT = '\uFFFD';

  /** A message has so many times the patience that anything else has. */
  private static final int TIMES = 3;

  private final Lobby lobby;
  private final ServerWebSocket socket;
  private final int most;
  private Buffer begun; // null: no message is
  private long timer; // while one is
  private boolean closed;

  Texts(Lobby lobby, ServerWebSocket socket) {
    this.lobby = lobby;
    this.socket = socket;
    this.most = lobby.bounds().messageBytes();
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
    if (frame.isFinal()) {
      end();
      return decoded(all);
    } else if (begun == null) {
      long millis = lobby.bounds().patience().multipliedBy(TIMES).toMillis();
      timer = lobby.vertx().setTimer(millis, late -> close(NOT_ENDED, "the message does not end"));
    }
    begun = all;
    return Optional.empty();
  }

  /** Nothing of a message is kept any more. */
  void end() {
    if (begun != null) {
      begun = null;
      lobby.vertx().cancelTimer(timer);
    }
  }

  private Optional<String> decoded(Buffer buffer) {
    byte[] bytes = buffer.getBytes();
    String text = new String(bytes, StandardCharsets.UTF_8); // with a mark for what is no UTF-8
    return text.indexOf(REPLACEMENT) < 0 || isUtf8(bytes)
        ? Optional.of(text)
        : close(BAD_TEXT, "it is not UTF-8");
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }

  private Optional<String> close(short code, String why) {
    closed = true;
    end();
    socket.close(code, why);
    return Optional.empty();
  }
}
