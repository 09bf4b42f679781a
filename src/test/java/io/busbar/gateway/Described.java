package io.busbar.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.client.HttpResponse;
import io.vertx.json.schema.JsonSchema;
import io.vertx.openapi.contract.MediaType;
import io.vertx.openapi.contract.OpenAPIContract;
import io.vertx.openapi.contract.OpenAPIContractBuilder;
import io.vertx.openapi.contract.Operation;
import io.vertx.openapi.contract.Parameter;
import io.vertx.openapi.contract.Response;
import io.vertx.openapi.mediatype.ContentAnalyser;
import io.vertx.openapi.mediatype.MediaTypeRegistration;
import io.vertx.openapi.mediatype.MediaTypeRegistry;
import io.vertx.openapi.validation.ResponseValidator;
import io.vertx.openapi.validation.ValidatableResponse;
import io.vertx.openapi.validation.ValidationContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.yaml.snakeyaml.Yaml;

/** A description of the API, and whether an answer is as it says. */
final class Described {
  /** Bodies that are anything but JSON: some string. */
  private static final class Raw implements MediaTypeRegistration {
    private static final List<String> TYPES =
        List.of(
            "application/octet-stream",
            "application/wasm",
            "application/yaml",
            "text/event-stream",
            "text/plain");

    private record Text(Buffer body) implements ContentAnalyser {
      @Override
      public void checkSyntacticalCorrectness() {}

      @Override
      public Object transform() {
        return body.toString();
      }
    }

    @Override
    public ContentAnalyser createContentAnalyser(String type, Buffer body, ValidationContext at) {
      return new Text(body);
    }

    @Override
    public boolean canHandle(String type) {
      return TYPES.contains(type);
    }

    @Override
    public List<String> supportedTypes() {
      return TYPES;
    }
  }

  final JsonObject model;
  private final OpenAPIContract contract;
  private final ResponseValidator responses;

  private Described(JsonObject model, OpenAPIContract contract, ResponseValidator responses) {
    this.model = model;
    this.contract = contract;
    this.responses = responses;
  }

  /** Fails where it is not what OpenAPI calls one. */
  static Described by(Vertx vertx, JsonObject model) {
    OpenAPIContract contract =
        new OpenAPIContractBuilder(vertx)
            .setContract(model.copy())
            .mediaTypeRegistry(types())
            .build()
            .await();
    return new Described(model, contract, ResponseValidator.create(vertx, contract));
  }

  private static MediaTypeRegistry types() {
    return MediaTypeRegistry.createEmpty()
        .register(MediaTypeRegistration.APPLICATION_JSON)
        .register(new Raw());
  }

  static JsonObject parse(String yaml) {
    return new JsonObject(new Yaml().<Map<String, Object>>load(yaml));
  }

  /** In the order of the text. */
  List<Operation> operations() {
    List<Operation> operations = new ArrayList<>();
    JsonObject paths = model.getJsonObject("paths");
    for (String path : paths.fieldNames()) {
      for (String method : paths.getJsonObject(path).fieldNames()) {
        if (!method.equals("parameters")) {
          operations.add(
              contract.findOperation(
                  "/api/v1" + path, HttpMethod.valueOf(method.toUpperCase(Locale.ROOT))));
        }
      }
    }
    return operations;
  }

  Operation operation(String id) {
    return contract.operation(id);
  }

  /** What the text says of an operation. */
  JsonObject text(Operation operation) {
    return path(operation).getJsonObject(operation.getHttpMethod().name().toLowerCase(Locale.ROOT));
  }

  JsonObject path(Operation operation) {
    return model.getJsonObject("paths").getJsonObject(operation.getOpenAPIPath());
  }

  /** The part itself, or the one it refers to. */
  JsonObject followed(JsonObject part) {
    String reference = part.getString("$ref");
    if (reference == null) {
      return part;
    }
    JsonObject found = model;
    for (String name : reference.substring("#/".length()).split("/")) {
      found = found.getJsonObject(name);
    }
    return found;
  }

  JsonObject schema(String name) {
    return model.getJsonObject("components").getJsonObject("schemas").getJsonObject(name);
  }

  /** Whether the value is what the schema of this name says. */
  boolean isA(String name, JsonObject value) {
    JsonObject schemas =
        contract.getRawContract().getJsonObject("components").getJsonObject("schemas");
    return isSo(JsonSchema.of(schemas.getJsonObject(name)), value);
  }

  /** Fails where the status, the content type, a header or the body is not as described. */
  void check(Operation operation, HttpResponse<Buffer> response) {
    Response said = said(operation, response.statusCode());
    if (response.body() == null && said.getContent().isEmpty()) {
      return;
    } else if (response.body() == null || said.getContent().isEmpty()) {
      throw new AssertionError("a body is said, or there, but not both");
    }
    ValidatableResponse answer =
        ValidatableResponse.create(
            response.statusCode(),
            headers(said, response),
            response.body(),
            response.getHeader("Content-Type"));
    responses.validate(answer, operation.getOperationId()).await();
  }

  private static Map<String, String> headers(Response said, HttpResponse<Buffer> response) {
    Map<String, String> headers = new HashMap<>();
    for (Parameter header : said.getHeaders()) {
      headers.put(header.getName(), response.getHeader(header.getName()));
    }
    return headers;
  }

  private static Response said(Operation operation, int status) {
    Response said = operation.getResponse(status);
    if (said == null) {
      throw new AssertionError("nothing is said of status " + status);
    }
    return said;
  }

  /** Whether this is what an answer of this status may say. */
  boolean isSo(Operation operation, int status, JsonObject body) {
    return isSo(said(operation, status).getContent(), body);
  }

  boolean isSo(Map<String, MediaType> content, Object body) {
    return isSo(content.get("application/json").getSchema(), body);
  }

  private boolean isSo(JsonSchema schema, Object value) {
    return contract.getSchemaRepository().validator(schema).validate(value).getValid();
  }
}
