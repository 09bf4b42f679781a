package io.busbar.gateway;

import io.busbar.model.Failure;
import io.busbar.model.Names;
import io.busbar.model.WasmException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Knows clients by what they bring along: a key that is listed here, or a token that somebody
 * trusted has signed. Neither is ever logged, or repeated in an answer.
 */
public final class Credentials {
  private static final System.Logger LOG = System.getLogger(Credentials.class.getName());

  /** The most that is looked at; a token is a few hundred characters, with many rules some more. */
  static final int LONGEST = 16 << 10;

  private static final byte[] NOBODY = new byte[32]; // no text has this digest

  /**
   * Whom a gateway lets in.
   *
   * @param keys of devices and services
   * @param tokens whose signatures it believes; empty: nobody's
   * @param roles what names stand for in keys and tokens
   */
  public record Options(List<Key> keys, Optional<Tokens.Options> tokens, Roles roles) {
    /** Nobody. */
    public static final Options NOBODY =
        new Options(List.of(), Optional.empty(), new Roles(Map.of()));

    public Options {
      keys = List.copyOf(keys);
    }

    public boolean isEmpty() {
      return keys.isEmpty() && tokens.isEmpty();
    }
  }

  /**
   * A key {@code name.secret}, of which only the digest is kept.
   *
   * @param name before the dot
   * @param sha256 of the whole key, in hex
   * @param tenant whose it is; empty: the operator's
   */
  public record Key(String name, String sha256, Optional<String> tenant, Permissions permissions) {
    public Key {
      checkName(name);
      if (!sha256.matches("[0-9a-f]{64}")) {
        throw Failure.BAD_REQUEST.because("`sha256` of key `%s` must be 64 hex digits", name);
      }
      tenant.ifPresent(whose -> Names.check("tenant", whose));
    }

    private static void checkName(String name) {
      Names.check("key name", name);
      if (name.indexOf('.') >= 0) {
        throw Failure.BAD_REQUEST.because("bad key name `%s`: it must have no dot", name);
      }
    }

    /** What is kept of a key. */
    public static String digest(String key) {
      return HexFormat.of().formatHex(Credentials.digest(key));
    }
  }

  /** A key as it is compared. */
  private record Known(byte[] digest, Client client) {}

  private final Map<String, Known> keys = new LinkedHashMap<>(); // by name
  private final Optional<Tokens> tokens;

  private Credentials(Options options, Optional<Tokens> tokens) {
    this.tokens = tokens;
    for (Key key : options.keys) {
      Client client = new Client(key.tenant, key.name, key.permissions, Optional.empty());
      byte[] digest = HexFormat.of().parseHex(key.sha256);
      if (keys.put(key.name, new Known(digest, client)) != null) {
        throw Failure.BAD_REQUEST.because("two keys are named `%s`", key.name);
      }
    }
  }

  /** Reads what the options name; fails with {@code BAD_REQUEST} where it is of no use. */
  static Future<Credentials> open(Vertx vertx, Options options) {
    return options
        .tokens
        .map(some -> Tokens.open(vertx, some, options.roles).map(Optional::of))
        .orElse(Future.succeededFuture(Optional.empty()))
        .map(tokens -> new Credentials(options, tokens));
  }

  /** Whose this is; fails with {@code UNAUTHENTICATED} and says no more. */
  Future<Client> check(String credential) {
    if (credential.length() > LONGEST) {
      return Future.failedFuture(refused());
    }
    Optional<Client> known = key(credential);
    if (known.isPresent()) {
      return Future.succeededFuture(known.get());
    } else if (tokens.isEmpty()) {
      return Future.failedFuture(refused());
    }
    return tokens
        .get()
        .check(credential)
        .onFailure(e -> LOG.log(System.Logger.Level.DEBUG, "a token was refused: {0}", e))
        .recover(e -> Future.failedFuture(refused()));
  }

  /** What is compared takes as long where it differs in the first byte as in the last. */
  private Optional<Client> key(String credential) {
    int dot = credential.indexOf('.');
    Known known = dot < 0 ? null : keys.get(credential.substring(0, dot));
    byte[] expected = known == null ? NOBODY : known.digest;
    boolean same = MessageDigest.isEqual(expected, digest(credential));
    return same && known != null ? Optional.of(known.client) : Optional.empty();
  }

  private static byte[] digest(String key) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  static WasmException refused() {
    return Failure.UNAUTHENTICATED.because("the token or key is not valid");
  }

  void close() {
    tokens.ifPresent(Tokens::close);
  }
}
