package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.JWTOptions;
import io.vertx.ext.auth.authentication.TokenCredentials;
import io.vertx.ext.auth.impl.jose.JWK;
import io.vertx.ext.auth.jwt.JWTAuth;
import io.vertx.ext.auth.jwt.JWTAuthOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Believes JSON Web Tokens (RFC 7519) that one of its keys has signed; which tenant one is of, and
 * what it may do, its claims say.
 */
public final class Tokens {
  private static final System.Logger LOG = System.getLogger(Tokens.class.getName());
  private static final Duration LOOK_AGAIN = Duration.ofMinutes(1);
  private static final int LEAST_SECRET = 32; // bytes; RFC 7518 §3.2, for HS256
  private static final int LONGEST_LEEWAY = 600;

  /**
   * Whose tokens are believed.
   *
   * @param keys JSON Web Keys (RFC 7517)
   * @param keyFile a file of more of them, which is read again when it has changed
   * @param issuer what the claim {@code iss} must be, if it is said
   * @param audience what the claim {@code aud} must contain, if it is said
   * @param leewaySeconds by how much clocks may differ
   */
  public record Options(
      List<JsonObject> keys,
      Optional<Path> keyFile,
      Optional<String> issuer,
      Optional<String> audience,
      int leewaySeconds) {
    public Options {
      keys = List.copyOf(keys);
      if (leewaySeconds < 0 || leewaySeconds > LONGEST_LEEWAY) {
        throw Failure.BAD_REQUEST.because(
            "`leewaySeconds` must be 0 to %d, not %d", LONGEST_LEEWAY, leewaySeconds);
      }
    }
  }

  private final Vertx vertx;
  private final Options options;
  private final Roles roles;
  private final long timer;
  private String read; // what the file held; only on the timer's context
  private volatile JWTAuth auth;

  private Tokens(Vertx vertx, Options options, Roles roles, String read) {
    this.vertx = vertx;
    this.options = options;
    this.roles = roles;
    this.read = read;
    this.auth = auth(read);
    this.timer =
        options.keyFile.isEmpty()
            ? -1
            : vertx.setPeriodic(LOOK_AGAIN.toMillis(), timer -> readAgain());
  }

  /** Fails with {@code BAD_REQUEST} where there are no keys, or one that cannot be used. */
  static Future<Tokens> open(Vertx vertx, Options options, Roles roles) {
    return text(vertx, options).map(read -> new Tokens(vertx, options, roles, read));
  }

  private static Future<String> text(Vertx vertx, Options options) {
    if (options.keyFile.isEmpty()) {
      return Future.succeededFuture("");
    }
    Path file = options.keyFile.get();
    return vertx
        .fileSystem()
        .readFile(file.toString())
        .map(Object::toString)
        .recover(
            e ->
                Future.failedFuture(
                    Failure.BAD_REQUEST.because("cannot read %s: %s", file, e.getMessage())));
  }

  /** Keys that cannot be read leave those that were there before. */
  Future<Void> readAgain() {
    return text(vertx, options)
        .<Void>map(
            now -> {
              if (!now.equals(read)) {
                auth = auth(now);
                read = now;
                LOG.log(System.Logger.Level.INFO, "the keys for tokens have changed");
              }
              return null;
            })
        .onFailure(e -> LOG.log(System.Logger.Level.WARNING, "keys for tokens: {0}", e));
  }

  /** A provider without a key would believe what nobody has signed. */
  private JWTAuth auth(String text) {
    List<JsonObject> keys = new ArrayList<>(options.keys);
    keys.addAll(keys(text));
    keys.removeIf(key -> !"sig".equals(key.getString("use", "sig"))); // as the provider does
    if (keys.isEmpty()) {
      throw Failure.BAD_REQUEST.because("there is no key to check tokens with");
    }
    JWTOptions jwt = new JWTOptions().setLeeway(options.leewaySeconds);
    options.issuer.ifPresent(jwt::setIssuer);
    options.audience.ifPresent(jwt::addAudience);
    JWTAuthOptions all = new JWTAuthOptions().setJWTOptions(jwt);
    keys.forEach(key -> all.addJwk(checked(key)));
    return JWTAuth.create(vertx, all);
  }

  private List<JsonObject> keys(String text) {
    if (text.isEmpty()) {
      return List.of();
    }
    try {
      JsonArray keys = new JsonObject(text).getJsonArray("keys", new JsonArray());
      return keys.stream().map(JsonObject.class::cast).toList();
    } catch (DecodeException | ClassCastException e) {
      throw Failure.BAD_REQUEST.because(
          "%s is no set of JSON Web Keys", options.keyFile.orElseThrow());
    }
  }

  /** Else it would be passed over, and a short secret guessed. */
  private static JsonObject checked(JsonObject key) {
    try {
      new JWK(key);
    } catch (RuntimeException e) {
      throw Failure.BAD_REQUEST.because(
          "JSON Web Key `%s` cannot be used: %s",
          Names.shown(key.getString("kid", "")), e.getMessage());
    }
    if ("oct".equals(key.getString("kty"))
        && key.getString("k", "").length() * 6 / 8 < LEAST_SECRET) {
      throw Failure.BAD_REQUEST.because(
          "JSON Web Key `%s` is a secret of less than %d bytes",
          Names.shown(key.getString("kid", "")), LEAST_SECRET);
    }
    return key;
  }

  /** Fails, with a reason that is for the log only. */
  Future<Client> check(String token) {
    String[] parts = token.split("\\.", -1); // header, claims and signature
    if (parts.length != 3 || parts[2].isEmpty()) {
      return Future.failedFuture("it is no signed token");
    }
    return Future.succeededFuture(new TokenCredentials(token))
        .compose(auth::authenticate) // which also throws, where a claim is of another type
        .map(user -> client(user.attributes().getJsonObject("accessToken")));
  }

  private Client client(JsonObject claims) {
    String tenant = claim(claims, "tenant", String.class);
    Number expires = claim(claims, "exp", Number.class);
    return new Client(
        Optional.of(Names.check("tenant", tenant)),
        Names.shown(String.valueOf(claims.getValue("sub"))),
        permissions(claims),
        Optional.of(Instant.ofEpochSecond(expires.longValue() + options.leewaySeconds)));
  }

  private static <T> T claim(JsonObject claims, String name, Class<T> type) {
    Object value = claims.getValue(name);
    if (!type.isInstance(value)) {
      throw Failure.UNAUTHENTICATED.because("it has no `%s`", name);
    }
    return type.cast(value);
  }

  private Permissions permissions(JsonObject claims) {
    Permissions named =
        claims.getValue("roles") instanceof JsonArray names
            ? roles.ofKnown(names.getList())
            : Permissions.NONE;
    return claims.containsKey("permissions")
        ? named.and(Permissions.from(claims.getValue("permissions")))
        : named;
  }

  void close() {
    if (timer >= 0) {
      vertx.cancelTimer(timer);
    }
  }
}
