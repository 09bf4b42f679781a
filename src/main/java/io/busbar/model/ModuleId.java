package io.busbar.model;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** The name of a module: the SHA-256 of its binary, 64 hexadecimal digits. */
public record ModuleId(String hex) {
  /** What the text form starts with. */
  public static final String PREFIX = "sha256:";

  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  public ModuleId {
    if (!HEX.matcher(hex).matches()) {
      throw Failure.BAD_REQUEST.because(
          "bad module id `%s`: not sha256: and 64 hexadecimal digits", Names.shown(PREFIX + hex));
    }
  }

  /** The id of these bytes. */
  public static ModuleId of(byte[] wasm) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(wasm);
      return new ModuleId(HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** From the text form; fails with {@code BAD_REQUEST} for anything else. */
  public static ModuleId parse(String text) {
    if (!text.startsWith(PREFIX)) {
      throw Failure.BAD_REQUEST.because(
          "bad module id `%s`: not sha256: and 64 hexadecimal digits", Names.shown(text));
    }
    return new ModuleId(text.substring(PREFIX.length()));
  }

  /** The text form, {@code sha256:<hex>}. */
  @Override
  public String toString() {
    return PREFIX + hex;
  }
}
