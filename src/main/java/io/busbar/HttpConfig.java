package io.busbar;

import io.busbar.gateway.Credentials;
import io.busbar.gateway.HttpGateway;
import io.busbar.gateway.Permissions;
import io.busbar.gateway.Quotas;
import io.busbar.gateway.Roles;
import io.busbar.gateway.Tokens;
import io.busbar.model.Failure;
import io.busbar.wire.Body;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The part of the settings that is about HTTP: where it listens and whom it lets in. */
final class HttpConfig {
  private static final long MOST_CALLS = 1_000_000_000;

  private HttpConfig() {}

  /** From the whole configuration; whether the door is open is no setting. */
  static HttpGateway.Options from(Body root) {
    Body http =
        Config.section(
            root,
            "http",
            "host",
            "port",
            "origins",
            "tls",
            "plaintext",
            "auth",
            "maxConnections",
            "maxConnectionsPerAddress",
            "maxUploadBytes",
            "maxMessageBytes",
            "maxMessagesPerSecond",
            "maxInFlight",
            "maxUnreadBytes",
            "patienceMillis");
    HttpGateway.Options standard = HttpGateway.Options.STANDARD;
    long port = http.has("port") ? http.whole("port") : standard.port();
    return new HttpGateway.Options(
        http.optionalString("host").orElse(standard.host()),
        HttpGateway.Options.port(port),
        false,
        Config.strings(http, "origins"),
        tls(http),
        http.optionalBoolean("plaintext").orElse(false),
        credentials(http.object("auth")),
        quotas(root),
        bounds(http));
  }

  private static Optional<HttpGateway.Certificate> tls(Body http) {
    if (!http.has("tls")) {
      return Optional.empty();
    }
    Body tls = http.object("tls");
    Config.known("http.tls.", tls, "cert", "key");
    Pem cert = new Pem("http.tls.cert", Config.path("http.tls.cert", tls.string("cert")));
    Pem key = new Pem("http.tls.key", Config.path("http.tls.key", tls.string("key")));
    Tls.checkFits(cert, key);
    return Optional.of(new HttpGateway.Certificate(cert.file(), key.file()));
  }

  private static HttpGateway.Bounds bounds(Body http) {
    HttpGateway.Bounds standard = HttpGateway.Bounds.STANDARD;
    int connections = Config.number(http, "maxConnections", standard.connections(), 1_000_000);
    return new HttpGateway.Bounds(
        connections,
        Config.number(http, "maxConnectionsPerAddress", connections, 1_000_000),
        Config.number(http, "maxUploadBytes", standard.uploadBytes(), 1L << 40),
        Config.number(http, "maxMessageBytes", standard.messageBytes(), 64 << 20),
        Config.number(http, "maxMessagesPerSecond", standard.messagesPerSecond(), 10_000_000),
        Config.number(http, "maxInFlight", standard.inFlight(), 1_000_000),
        Config.number(http, "maxUnreadBytes", standard.unreadBytes(), 1 << 30),
        patience(http, standard.patience()));
  }

  private static Duration patience(Body http, Duration standard) {
    return http.has("patienceMillis")
        ? Duration.ofMillis(Config.within(http, "patienceMillis", 100, 600_000))
        : standard;
  }

  private static Credentials.Options credentials(Body auth) {
    Config.known("http.auth.", auth, "keys", "tokens", "roles");
    Roles roles = roles(auth.object("roles"));
    List<Credentials.Key> keys =
        auth.list("keys").stream().map(item -> key(auth.item(item), roles)).toList();
    return new Credentials.Options(keys, tokens(auth), roles);
  }

  private static Roles roles(Body json) {
    Map<String, Permissions> roles = new LinkedHashMap<>();
    json.fields().keySet().forEach(name -> roles.put(name, Permissions.from(json.value(name))));
    return new Roles(roles);
  }

  private static Credentials.Key key(Body key, Roles roles) {
    Config.known("http.auth.keys.", key, "name", "sha256", "tenant", "roles", "permissions");
    if (key.has("roles") == key.has("permissions")) {
      throw Failure.BAD_REQUEST.because(
          "`http.auth.keys`: `%s` must have either `roles` or `permissions`", key.string("name"));
    }
    return new Credentials.Key(
        key.string("name"),
        key.string("sha256"),
        key.optionalString("tenant"),
        key.has("roles")
            ? roles.of(key.list("roles"))
            : Permissions.from(key.value("permissions")));
  }

  private static Optional<Tokens.Options> tokens(Body auth) {
    if (!auth.has("tokens")) {
      return Optional.empty();
    }
    Body tokens = auth.object("tokens");
    Config.known(
        "http.auth.tokens.", tokens, "keys", "keyFile", "issuer", "audience", "leewaySeconds");
    List<JsonObject> keys =
        tokens.list("keys").stream()
            .map(item -> new JsonObject(tokens.item(item).fields()))
            .toList();
    return Optional.of(
        new Tokens.Options(
            keys,
            tokens
                .optionalString("keyFile")
                .map(file -> Config.path("http.auth.tokens.keyFile", file)),
            tokens.optionalString("issuer"),
            tokens.optionalString("audience"),
            tokens.has("leewaySeconds") ? Math.toIntExact(tokens.whole("leewaySeconds")) : 0));
  }

  private static Quotas.Options quotas(Body root) {
    Quotas.Quota each = quota(Config.tenants(root), Quotas.Quota.STANDARD);
    Map<String, Quotas.Quota> of = new LinkedHashMap<>();
    Config.tenantsOf(root).forEach((name, tenant) -> of.put(name, quota(tenant, each)));
    return new Quotas.Options(each, of);
  }

  /** 0: no bound. */
  private static Quotas.Quota quota(Body section, Quotas.Quota standard) {
    return new Quotas.Quota(
        section.has("callsPerSecond")
            ? Config.within(section, "callsPerSecond", 0, MOST_CALLS)
            : standard.callsPerSecond(),
        section.has("fuelPerMinute")
            ? Config.within(section, "fuelPerMinute", 0, 1L << 53)
            : standard.fuelPerMinute());
  }
}
