package io.busbar.gateway;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A client that sends what it likes, in pieces if it likes, and reads only what it is told to. */
final class RawClient implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 20_000;

  private final Socket socket = new Socket();
  private final DataInputStream in;

  RawClient(int port) {
    this(port, 0);
  }

  /** With a receive buffer of so many bytes; 0: of the usual size. */
  RawClient(int port, int buffer) {
    try {
      if (buffer > 0) {
        socket.setReceiveBufferSize(buffer);
      }
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MILLIS);
      in = new DataInputStream(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a WebSocket frame holds. */
  record Received(int opcode, byte[] bytes) {
    String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Of a close frame. */
    int code() {
      return ByteBuffer.wrap(bytes).getShort();
    }
  }

  RawClient send(String text) {
    return send(text.getBytes(StandardCharsets.UTF_8));
  }

  RawClient send(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A request with these header lines, each without its end. */
  RawClient request(String line, String... headers) {
    StringBuilder text = new StringBuilder(line).append(" HTTP/1.1\r\n");
    if (Arrays.stream(headers).noneMatch(header -> header.startsWith("Host:"))) {
      text.append("Host: 127.0.0.1:").append(socket.getPort()).append("\r\n");
    }
    Arrays.stream(headers).forEach(header -> text.append(header).append("\r\n"));
    return send(text.append("\r\n").toString());
  }

  /** The head of the next response. */
  String head() {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    try {
      while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
        head.write(in.readUnsignedByte());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(head.toString(StandardCharsets.UTF_8), e);
    }
    return head.toString(StandardCharsets.ISO_8859_1);
  }

  /** The next response, which says how long it is. */
  String response() {
    String head = head();
    try {
      return head + new String(in.readNBytes(length(head)), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int length(String head) {
    return head.lines()
        .filter(line -> line.toLowerCase().startsWith("content-length:"))
        .map(line -> Integer.parseInt(line.substring(15).strip()))
        .findFirst()
        .orElse(0);
  }

  /** The status of the next response. */
  int status() {
    return Integer.parseInt(response().split(" ", 3)[1]);
  }

  /** Becomes a WebSocket. */
  RawClient upgrade(String path, String... headers) {
    ask(path, headers);
    String head = head();
    if (!head.startsWith("HTTP/1.1 101")) {
      throw new AssertionError(head);
    }
    return this;
  }

  /** Asks to become a WebSocket. */
  RawClient ask(String path, String... headers) {
    String[] all = Arrays.copyOf(headers, headers.length + 4);
    all[headers.length] = "Connection: Upgrade";
    all[headers.length + 1] = "Upgrade: websocket";
    all[headers.length + 2] = "Sec-WebSocket-Version: 13";
    all[headers.length + 3] = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    return request("GET " + path, all);
  }

  /** A whole text message. */
  RawClient text(String text) {
    return frame(0x81, text.getBytes(StandardCharsets.UTF_8));
  }

  /** A frame with this first byte. */
  RawClient frame(int first, byte[] payload) {
    ByteBuffer frame = ByteBuffer.allocate(14 + payload.length).put((byte) first);
    if (payload.length < 126) {
      frame.put((byte) (0x80 | payload.length));
    } else if (payload.length < 65_536) {
      frame.put((byte) 0xfe).putShort((short) payload.length);
    } else {
      frame.put((byte) 0xff).putLong(payload.length);
    }
    frame.putInt(0).put(payload); // a mask of zeros leaves it as it is
    return send(Arrays.copyOf(frame.array(), frame.position()));
  }

  /** The next frame. */
  Received frame() {
    try {
      int opcode = in.readUnsignedByte() & 15;
      long length = in.readUnsignedByte() & 127;
      if (length == 126) {
        length = in.readUnsignedShort();
      } else if (length == 127) {
        length = in.readLong();
      }
      return new Received(opcode, in.readNBytes((int) length));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The code of the close frame that comes after whatever else comes. */
  int closeCode() {
    Received frame = frame();
    while (frame.opcode() != 8) {
      frame = frame();
    }
    return frame.code();
  }

  /** Reads all that comes, until there is no more. */
  long drain() {
    try {
      return in.transferTo(java.io.OutputStream.nullOutputStream());
    } catch (java.net.SocketTimeoutException e) {
      throw new AssertionError("it was not closed", e);
    } catch (IOException e) {
      return -1; // reset
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
