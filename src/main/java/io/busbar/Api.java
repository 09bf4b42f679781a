package io.busbar;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import io.busbar.wire.Body;
import io.busbar.wire.Failures;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A node's HTTP interface, as somebody on another machine sees it: whatever may answer there. */
final class Api {
  private static final String PATH = "/api/v1";
  private static final Set<String> SCHEMES = Set.of("http", "https");
  private static final int MOST_BYTES = 64 << 20;

  /** How much longer than the node's time its answer is waited for: the node's answer says more. */
  private static final Duration MARGIN = Duration.ofSeconds(1);

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String base; // ends with PATH
  private final Duration timeout;
  private final Optional<String> token;

  private Api(String base, Duration timeout, Optional<String> token) {
    this.base = base;
    this.timeout = timeout;
    this.token = token;
  }

  /**
   * What a node answered.
   *
   * @param from who it is said to be
   * @param text as it came
   * @param fields the same, read
   */
  record Answer(String from, String text, JsonObject fields) {
    /** The items of a list; fails with {@code UNAVAILABLE} where there is no such list. */
    JsonArray list(String name) {
      if (fields.getValue(name) instanceof JsonArray array) {
        return array;
      }
      throw Failure.UNAVAILABLE.because(
          "%s is not a Busbar node: it answered without a list `%s`", from, name);
    }

    /** The same of a list of objects; what is none is left out. */
    List<JsonObject> objects(String name) {
      return list(name).stream()
          .filter(JsonObject.class::isInstance)
          .map(JsonObject.class::cast)
          .toList();
    }
  }

  /** At a URL with or without {@code /api/v1}; fails with {@code BAD_REQUEST} where it is none. */
  static Api at(String url, Duration timeout) {
    return at(url, timeout, Optional.empty());
  }

  /** The same, with a key or token by which the node knows who asks. */
  static Api at(String url, Duration timeout, Optional<String> token) {
    String base = url.strip().replaceFirst("/+$", "");
    try {
      URI uri = new URI(base);
      if (isBase(uri)) {
        return new Api(base.endsWith(PATH) ? base : base + PATH, timeout, token);
      }
    } catch (URISyntaxException e) {
      // said below
    }
    throw Failure.BAD_REQUEST.because(
        "`--api` must be a URL such as http://127.0.0.1:8080, not `%s`", url);
  }

  private static boolean isBase(URI uri) {
    return uri.getScheme() != null
        && SCHEMES.contains(uri.getScheme())
        && uri.getHost() != null
        && uri.getPort() <= 65_535
        && uri.getRawUserInfo() == null
        && uri.getRawQuery() == null
        && uri.getRawFragment() == null;
  }

  /** The answer to {@code GET}; fails as the node says, or with {@code UNAVAILABLE}. */
  Answer get(String... path) throws InterruptedException {
    return ask(request(path).GET().build());
  }

  /** The answer to {@code POST} of this body. */
  Answer post(JsonObject body, String... path) throws InterruptedException {
    return ask(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body.encode()))
            .build());
  }

  private HttpRequest.Builder request(String... path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    token.ifPresent(text -> request.header("Authorization", "Bearer " + text));
    return request;
  }

  private URI uri(String... path) {
    StringBuilder uri = new StringBuilder(base);
    for (String segment : path) {
      uri.append('/').append(URLEncoder.encode(segment, StandardCharsets.UTF_8));
    }
    return URI.create(uri + "?timeout=" + timeout.toMillis());
  }

  /** On a thread of its own: whoever answers may send his answer as slowly as he likes. */
  private Answer ask(HttpRequest request) throws InterruptedException {
    CompletableFuture<Answer> answer = new CompletableFuture<>();
    Thread thread = new Thread(() -> complete(answer, () -> send(request)), "busbar-http");
    thread.setDaemon(true);
    thread.start();
    try {
      return answer.get(timeout.plus(MARGIN).toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw Failure.DEADLINE.because("no answer from %s in %d ms", base, timeout.toMillis());
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    } finally {
      thread.interrupt();
    }
  }

  private static void complete(CompletableFuture<Answer> answer, Callable<Answer> question) {
    try {
      answer.complete(question.call());
    } catch (Throwable e) {
      answer.completeExceptionally(e);
    }
  }

  private WasmException failure(Throwable thrown) {
    if (thrown instanceof WasmException ours) {
      return ours;
    } else if (thrown instanceof IOException) {
      String why =
          thrown.getMessage() == null ? thrown.getClass().getSimpleName() : thrown.getMessage();
      return Failure.UNAVAILABLE.because("cannot reach a node at %s: %s", base, why);
    }
    return WasmException.internal(thrown);
  }

  private Answer send(HttpRequest request) throws IOException, InterruptedException {
    HttpResponse<InputStream> response =
        http.send(request, HttpResponse.BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw Failure.TOO_LARGE.because("%s answered more than %d bytes", base, MOST_BYTES);
      }
      return answer(response, new String(bytes, StandardCharsets.UTF_8));
    }
  }

  private Answer answer(HttpResponse<?> response, String text) {
    JsonObject fields = object(text).orElseThrow(() -> stranger(response));
    if (response.statusCode() / 100 == 2) {
      return new Answer(base, text, fields);
    }
    throw isError(fields) ? Failures.from(Body.of("error", fields)) : stranger(response);
  }

  private static Optional<JsonObject> object(String text) {
    try {
      return Json.decodeValue(text) instanceof JsonObject object
          ? Optional.of(object)
          : Optional.empty();
    } catch (DecodeException e) {
      return Optional.empty();
    }
  }

  private static boolean isError(JsonObject fields) {
    return fields.getValue("code") instanceof Integer
        && fields.getValue("message") instanceof String;
  }

  private WasmException stranger(HttpResponse<?> response) {
    String type = response.headers().firstValue("Content-Type").orElse("no content type");
    return Failure.UNAVAILABLE.because(
        "%s is not a Busbar node: it answered with status %d and %s",
        base, response.statusCode(), type);
  }
}
