package io.busbar.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.ext.web.client.WebClient;
import io.vertx.ext.web.client.WebClientOptions;
import java.util.Map;

/** Who asks one gateway over HTTP and sockets. */
record TestClients(int port, WebClient web, WebSocketClient sockets) {
  static TestClients of(Vertx vertx, HttpGateway gateway) {
    int port = gateway.port();
    WebClientOptions options =
        new WebClientOptions().setDefaultHost("127.0.0.1").setDefaultPort(port);
    return new TestClients(port, WebClient.create(vertx, options), vertx.createWebSocketClient());
  }

  HttpResponse<Buffer> send(
      HttpMethod method, String path, Object body, Map<String, String> headers) {
    var request = web.request(method, "/api/v1" + path);
    headers.forEach(request::putHeader);
    if (body == null) {
      return request.send().await();
    }
    Buffer bytes = body instanceof byte[] b ? Buffer.buffer(b) : Buffer.buffer(body.toString());
    return request.sendBuffer(bytes).await();
  }

  /** A socket whose request has these headers. */
  TestSocket socket(Map<String, String> headers) {
    return connect("/api/v1/ws", headers);
  }

  /** A socket of the event-bus bridge whose request has these headers. */
  TestSocket bridge(Map<String, String> headers) {
    return connect("/eventbus/websocket", headers);
  }

  private TestSocket connect(String path, Map<String, String> headers) {
    WebSocketConnectOptions options =
        new WebSocketConnectOptions().setHost("127.0.0.1").setPort(port).setURI(path);
    headers.forEach(options::addHeader);
    return new TestSocket(sockets.connect(options).await());
  }
}
