package io.busbar.spec.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads wasm text into terms, without comments and annotations; bytes are taken one by one, because
 * the suite has files that are not UTF-8.
 */
public final class TermReader {
  private static final String ENDS_WORD = " \t\r\n()\";";

  private final byte[] source;
  private int at;

  private TermReader(byte[] source) {
    this.source = source;
  }

  /** All terms of the source; fails with an {@link IllegalArgumentException} that says where. */
  public static List<Term> read(byte[] source) {
    TermReader reader = new TermReader(source);
    List<Term> terms = reader.terms();
    if (reader.at < source.length) {
      throw reader.unexpected();
    }
    return terms;
  }

  private IllegalArgumentException unexpected() {
    return new IllegalArgumentException("unexpected byte at " + at);
  }

  private char peek(int ahead) {
    return at + ahead < source.length ? (char) (source[at + ahead] & 0xff) : 0;
  }

  private List<Term> terms() {
    List<Term> terms = new ArrayList<>();
    for (skipBlank(); at < source.length && peek(0) != ')'; skipBlank()) {
      if (peek(0) == '(' && peek(1) == '@') {
        skipAnnotation();
      } else {
        terms.add(term());
      }
    }
    return terms;
  }

  private Term term() {
    int start = at;
    if (peek(0) == '(') {
      return group(start);
    } else if (peek(0) == '"') {
      return new Term.Quoted(string(), start, at);
    }
    while (at < source.length && ENDS_WORD.indexOf(peek(0)) < 0) {
      at++;
    }
    if (at == start) {
      throw unexpected();
    }
    String word = text(start, at);
    if (word.equals("$") && peek(0) == '"') { // a name with spaces in it
      word += new String(string(), StandardCharsets.UTF_8);
    }
    return new Term.Word(word, start, at);
  }

  private Term group(int start) {
    at++;
    List<Term> items = terms();
    if (peek(0) != ')') {
      throw unexpected();
    }
    at++;
    return new Term.Group(items, start, at);
  }

  private String text(int from, int to) {
    return new String(source, from, to - from, StandardCharsets.ISO_8859_1);
  }

  private void skipBlank() {
    while (at < source.length) {
      if (peek(0) == ';' && peek(1) == ';') {
        skipLine();
      } else if (peek(0) == '(' && peek(1) == ';') {
        skipComment();
      } else if (peek(0) <= ' ') {
        at++;
      } else {
        return;
      }
    }
  }

  private void skipLine() {
    while (at < source.length && peek(0) != '\n' && peek(0) != '\r') {
      at++;
    }
  }

  private void skipComment() {
    int depth = 0;
    do {
      if (peek(0) == '(' && peek(1) == ';') {
        depth++;
        at += 2;
      } else if (peek(0) == ';' && peek(1) == ')') {
        depth--;
        at += 2;
      } else {
        at++;
      }
    } while (depth > 0 && at < source.length);
  }

  /** Nearly anything may stand in there, as long as its parentheses match. */
  private void skipAnnotation() {
    int depth = 0;
    do {
      skipBlank();
      if (peek(0) == '"') {
        string();
      } else {
        depth += peek(0) == '(' ? 1 : peek(0) == ')' ? -1 : 0;
        at++;
      }
    } while (depth > 0 && at < source.length);
  }

  private byte[] string() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    at++;
    while (peek(0) != '"') {
      if (at >= source.length) {
        throw unexpected();
      } else if (peek(0) == '\\') {
        bytes.writeBytes(escaped());
      } else {
        bytes.write(source[at++]);
      }
    }
    at++;
    return bytes.toByteArray();
  }

  private byte[] escaped() {
    char kind = peek(1);
    at += 2;
    return switch (kind) {
      case 'n' -> new byte[] {'\n'};
      case 't' -> new byte[] {'\t'};
      case 'r' -> new byte[] {'\r'};
      case '\\', '\'', '"' -> new byte[] {(byte) kind};
      case 'u' -> unicode();
      default -> new byte[] {(byte) Integer.parseInt(text(at - 1, ++at), 16)};
    };
  }

  /** {@code {1f600}}, of which the backslash and the {@code u} have been read. */
  private byte[] unicode() {
    int digits = at + 1;
    while (peek(0) != '}') {
      at++;
    }
    String hex = text(digits, at++).replace("_", "");
    return Character.toString(Integer.parseInt(hex, 16)).getBytes(StandardCharsets.UTF_8);
  }
}
