package io.busbar.programs;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A JavaScript file that carries modules as base64 text. */
public record JavaScript(byte[] file) {
  /** The module whose text follows this, such as {@code wasmBase64 = }. */
  public byte[] moduleAfter(String before) {
    String text = new String(file, StandardCharsets.UTF_8);
    Matcher module = Pattern.compile(Pattern.quote(before) + "[\"'](AGFz[^\"']*)").matcher(text);
    if (!module.find()) {
      throw new AssertionError("no module after `" + before + "`");
    }
    return Base64.getDecoder().decode(module.group(1));
  }
}
