package io.busbar.host;

import io.busbar.model.Failure;
import io.busbar.wire.Body;
import io.busbar.wire.JsonText;
import io.vertx.core.json.JsonObject;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The form in which {@code invoke} gives a function bytes and takes back those it answers: {@code
 * input} (base64 in JSON) comes out as {@code output}, {@code text} as {@code text}, {@code json}
 * as {@code json}.
 */
enum Invocation {
  INPUT {
    @Override
    byte[] bytes(Body body) {
      return body.bytes("input");
    }

    @Override
    Body answer(String function, byte[] output) {
      return Body.of("output", output);
    }
  },
  TEXT {
    @Override
    byte[] bytes(Body body) {
      return body.string("text").getBytes(StandardCharsets.UTF_8);
    }

    @Override
    Body answer(String function, byte[] output) {
      return Body.of("text", text(function, output));
    }
  },
  JSON {
    @Override
    byte[] bytes(Body body) {
      return JsonText.of(body.fields().get("json")).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    Body answer(String function, byte[] output) {
      Object json = JsonText.parse(function, text(function, output));
      return Body.of(new JsonObject(Collections.singletonMap("json", json)));
    }
  };

  /** What the function is given; fails with {@code BAD_REQUEST}. */
  abstract byte[] bytes(Body body);

  /** What the function answered; fails with {@code BAD_RESULT}. */
  abstract Body answer(String function, byte[] output);

  /** Reads the operation; input over {@code most} bytes is {@code TOO_LARGE}. */
  static Operations.Operation read(Body body, long most) {
    String function = body.string("function");
    Invocation form = form(body);
    byte[] input = form.bytes(body);
    if (input.length > most) {
      throw Failure.TOO_LARGE.because(
          "an input of %d bytes; at most %d are taken", input.length, most);
    }
    return (exports, job) -> form.answer(function, exports.get().invoke(function, input, most));
  }

  private static Invocation form(Body body) {
    List<Invocation> forms = new ArrayList<>();
    if (body.has("input")) {
      forms.add(INPUT);
    }
    if (body.has("text")) {
      forms.add(TEXT);
    }
    if (body.fields().containsKey("json")) { // null is JSON too
      forms.add(JSON);
    }
    if (forms.size() != 1) {
      throw Failure.BAD_REQUEST.because("one of `input`, `text` and `json` must be given");
    }
    return forms.get(0);
  }

  private static String text(String function, byte[] output) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(output)).toString();
    } catch (CharacterCodingException e) {
      throw Failure.BAD_RESULT.because(
          "`%s` answered %d bytes that are not valid UTF-8", function, output.length);
    }
  }
}
