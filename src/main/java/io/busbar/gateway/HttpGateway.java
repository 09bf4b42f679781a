package io.busbar.gateway;

import io.busbar.client.Bus;
import io.busbar.model.Failure;
import io.busbar.wire.Addresses;
import io.busbar.wire.Body;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The door of this room: HTTP and sockets for clients that have no bus, behind a guard. */
public final class HttpGateway {
  /**
   * Where to listen, and whom to let in.
   *
   * @param host an address of this machine
   * @param port 0 for any free one
   * @param dev whether everybody on this machine is let in and may do everything
   * @param origins of sites whose pages may ask, beside its own
   * @param tls its certificate; none: it speaks plain HTTP
   * @param plaintext whether it may do so elsewhere than on loopback
   */
  public record Options(
      String host,
      int port,
      boolean dev,
      List<String> origins,
      Optional<Certificate> tls,
      boolean plaintext,
      Credentials.Options credentials,
      Quotas.Options quotas,
      Bounds bounds) {

    /** On the standard port of loopback, for nobody. */
    public static final Options STANDARD =
        new Options(
            "127.0.0.1",
            8080,
            false,
            List.of(),
            Optional.empty(),
            false,
            Credentials.Options.NOBODY,
            Quotas.Options.STANDARD,
            Bounds.STANDARD);

    public Options {
      origins = List.copyOf(origins);
      origins.forEach(Origins::check);
    }

    /** There, for everybody on this machine. */
    public static Options dev(String host, int port) {
      return STANDARD.at(host, port).withDev(true);
    }

    public Options at(String host, int port) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    public Options withDev(boolean dev) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    public Options withOrigins(List<String> origins) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    public Options withCredentials(Credentials.Options credentials) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    public Options withQuotas(Quotas.Options quotas) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    public Options withBounds(Bounds bounds) {
      return new Options(host, port, dev, origins, tls, plaintext, credentials, quotas, bounds);
    }

    /** The port itself if there can be one of this number; else {@code BAD_REQUEST}. */
    public static int port(long number) {
      if (number < 0 || number > 65_535) {
        throw Failure.BAD_REQUEST.because("`port` must be 0 to 65535, not %d", number);
      }
      return (int) number;
    }
  }

  /** What a gateway shows who connects: PEM files with a certificate and its private key. */
  public record Certificate(Path cert, Path key) {}

  /**
   * What clients may cost a gateway.
   *
   * @param connections at once
   * @param connectionsPerAddress the same from one address
   * @param uploadBytes of all request bodies at once
   * @param messageBytes of one message on a socket
   * @param messagesPerSecond on one socket
   * @param inFlight operations of one socket that have no answer yet
   * @param unreadBytes that wait for one client to read them
   * @param patience how long a client may take to send its first request, to say on a socket who it
   *     is, and to read anything of what waits for it
   */
  public record Bounds(
      int connections,
      int connectionsPerAddress,
      long uploadBytes,
      int messageBytes,
      int messagesPerSecond,
      int inFlight,
      int unreadBytes,
      Duration patience) {
    public static final Bounds STANDARD =
        new Bounds(
            10_000, 10_000, 128L << 20, 1 << 20, 5_000, 256, 1 << 20, Duration.ofSeconds(10));

    /** How often is looked for who is late. */
    Duration look() {
      return patience.dividedBy(10);
    }

    /** How long nothing may be read: who is looked for so often is then found in time. */
    Duration unread() {
      return patience.multipliedBy(7).dividedBy(10);
    }
  }

  /** What the routes need to read a request's body: a whole module, plus its name. */
  private static final int BODY_MARGIN = 64 << 10;

  /** The longest token, and what else browsers send. */
  private static final int HEADERS = Credentials.LONGEST + (8 << 10);

  /** How long a client may take to say good-bye. */
  private static final int CLOSING_SECONDS = 2;

  /** Half of the cores are for guests: with more loops than that each call takes longer. */
  private static final int LOOPS = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);

  private static final Duration IDLE = Duration.ofMinutes(1);

  private final Vertx vertx;
  private final Options options;
  private final Guard guard;
  private final Access access;
  private final Connections connections;
  private final Addresses addresses;
  private final Room room;
  private final Topics topics;
  private final Served served;
  private final Lines lines;
  private final Sockets sockets;
  private final Bridge bridge;
  private final EventStream events;
  private Listener listener;
  private Router router;
  private volatile boolean draining;

  private HttpGateway(Vertx vertx, Options options, Bus bus, Guard guard, long bodyBytes) {
    this.vertx = vertx;
    this.options = options;
    this.guard = guard;
    this.addresses = bus.addresses();
    Imports imports = new Imports(addresses);
    this.access = new Access(bus, new Quotas(options.quotas()), imports);
    this.connections = new Connections(vertx, options.bounds());
    long body = bodyBytes + BODY_MARGIN;
    this.room = new Room(Math.max(body, options.bounds().uploadBytes()), body);
    this.topics = new Topics(vertx);
    this.served = new Served(vertx);
    Lobby lobby =
        new Lobby(
            vertx,
            guard,
            access,
            new Hearing(addresses),
            imports,
            topics,
            served,
            room,
            options.bounds(),
            () -> draining);
    this.lines = new Lines(lobby, connections);
    this.sockets = new Sockets(lobby, addresses, lines);
    this.bridge = new Bridge(lobby, addresses, lines);
    this.events = new EventStream(lobby, addresses);
  }

  /**
   * Listens; done when requests are answered.
   *
   * @param bodyBytes the largest request body
   * @param longest how long an operation on an instance may take: a connection is not idle before
   */
  public static Future<HttpGateway> open(
      Vertx vertx, Options options, Bus bus, long bodyBytes, Duration longest) {
    return Guard.open(vertx, options)
        .map(guard -> new HttpGateway(vertx, options, bus, guard, bodyBytes))
        .compose(gateway -> gateway.listen(bodyBytes, longest));
  }

  /** The same, asking at the addresses of any node. */
  public static Future<HttpGateway> open(
      Vertx vertx, Options options, Addresses addresses, long bodyBytes, Duration longest) {
    return open(vertx, options, new Bus(vertx, addresses), bodyBytes, longest);
  }

  private Future<HttpGateway> listen(long bodyBytes, Duration longest) {
    router = router(bodyBytes + BODY_MARGIN);
    HttpServerOptions http = http(longer(longest, patience()).plus(IDLE));
    listener = new Listener(vertx, http, connections::accept, router, this::end, LOOPS);
    return listener.open().onFailure(e -> release()).map(this);
  }

  private HttpServerOptions http(Duration idle) {
    HttpServerOptions http =
        new HttpServerOptions()
            .setHost(options.host())
            .setPort(options.port())
            .setMaxHeaderSize(HEADERS)
            .setHttp2ClearTextEnabled(false) // it knows no Host header, which the guard looks at
            .setUseAlpn(false)
            .setPerMessageWebSocketCompressionSupported(false) // what is small may become large
            .setPerFrameWebSocketCompressionSupported(false)
            .setMaxWebSocketFrameSize(options.bounds().messageBytes())
            .setMaxWebSocketMessageSize(options.bounds().messageBytes())
            .setRegisterWebSocketWriteHandlers(false)
            .setWebSocketClosingTimeout(CLOSING_SECONDS)
            .setIdleTimeout(Math.toIntExact(idle.toSeconds()))
            .setIdleTimeoutUnit(TimeUnit.SECONDS);
    options.tls().ifPresent(tls -> secure(http, tls));
    return http;
  }

  private static void secure(HttpServerOptions http, Certificate tls) {
    http.setSsl(true)
        .setKeyCertOptions(
            new PemKeyCertOptions()
                .setCertPath(tls.cert().toString())
                .setKeyPath(tls.key().toString()))
        .setEnabledSecureTransportProtocols(Set.of("TLSv1.3", "TLSv1.2"));
  }

  /** What is asked at a common address may take so long. */
  private static Duration patience() {
    return Bus.Question.of("list", Body.EMPTY).patient().timeout().orElseThrow();
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }

  Connections connections() {
    return connections;
  }

  Room room() {
    return room;
  }

  Topics topics() {
    return topics;
  }

  Served served() {
    return served;
  }

  /** The port it listens on. */
  public int port() {
    return listener.port();
  }

  /** What it answers. */
  List<Route> routes() {
    return router.getRoutes();
  }

  /** Stops listening, and ends what is under way; again does nothing. */
  public Future<Void> close() {
    end();
    return listener.close();
  }

  private void end() {
    release();
    lines.close();
  }

  private void release() {
    connections.close();
    guard.close();
  }

  private Router router(long bodyBytes) {
    Router router = Router.router(vertx);
    router.route().handler(connections::asked).failureHandler(Answers::failed);
    guard.watch(router);
    Pages.on(router);
    Description.on(router);
    router.route().handler(this::refuseWhileDraining);
    sockets.addTo(router);
    bridge.addTo(router);
    router.route().handler(guard::authenticate);
    events.addTo(router);
    router.route().handler(HttpGateway::keepBodyAsItIs);
    router.route().handler(new Uploads(bodyBytes, room));
    router.route().handler(BodyHandler.create(false).setBodyLimit(bodyBytes));
    new ApiRoutes(access, addresses).addTo(router);
    router
        .errorHandler(400, Answers::failed)
        .errorHandler(404, Answers::noRoute)
        .errorHandler(405, Answers::noRoute);
    return router;
  }

  /** Else the body of a plain {@code curl -d} would be read, and bounded, as a form. */
  private static void keepBodyAsItIs(RoutingContext ctx) {
    Requests.setContentTypeAside(ctx);
    ctx.next();
  }

  /** While the node closes: answers what is under way, but takes nothing new. */
  private void refuseWhileDraining(RoutingContext ctx) {
    if (draining) {
      throw Failure.UNAVAILABLE.because("the node is closing");
    }
    ctx.next();
  }

  /** From now on new requests are refused with {@code UNAVAILABLE}. */
  public void drain() {
    draining = true;
  }
}
