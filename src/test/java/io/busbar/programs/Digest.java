package io.busbar.programs;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256, in hexadecimal digits: how a foreign file is pinned and a memory is compared. */
final class Digest {
  private final MessageDigest sha256;

  Digest() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  Digest add(byte[] bytes) {
    sha256.update(bytes);
    return this;
  }

  String hex() {
    return HexFormat.of().formatHex(sha256.digest());
  }

  static String of(byte[] bytes) {
    return new Digest().add(bytes).hex();
  }

  /** The bytes themselves, if they are those that were pinned. */
  static byte[] pinned(byte[] bytes, String sha256, String name) {
    String actual = of(bytes);
    if (!actual.equals(sha256)) {
      throw new AssertionError(name + " has SHA-256 " + actual + ", but pinned is " + sha256);
    }
    return bytes;
  }
}
