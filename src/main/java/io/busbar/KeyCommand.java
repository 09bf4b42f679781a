package io.busbar;

import io.busbar.gateway.Credentials;
import io.busbar.gateway.Permissions;
import io.busbar.model.WasmException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code busbar key}: a new key for a device or service, and what nodes are to know of it. */
@Command(
    name = "key",
    description = {
      "Makes a key for a client of HTTP.",
      "The first line is the key, which is kept nowhere; the second goes to `http.auth.keys`."
    },
    mixinStandardHelpOptions = true)
final class KeyCommand implements Callable<Integer> {
  private static final int SECRET_BYTES = 32;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "NAME", description = "What logs call the client.")
  private String name;

  @Option(names = "--tenant", paramLabel = "T", description = "Default: the operator's own key.")
  private String tenant;

  @Option(
      names = "--role",
      paramLabel = "R",
      split = ",",
      description = "Of `http.auth.roles`. Default: it may do everything its tenant may.")
  private List<String> roles = List.of();

  @Override
  public Integer call() {
    String key = name + "." + secret();
    JsonObject known = new JsonObject().put("name", name);
    try {
      Credentials.Key checked =
          new Credentials.Key(
              name, Credentials.Key.digest(key), Optional.ofNullable(tenant), Permissions.ALL);
      known.put("sha256", checked.sha256());
    } catch (WasmException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage());
    }
    if (tenant != null) {
      known.put("tenant", tenant);
    }
    if (roles.isEmpty()) {
      known.put("permissions", "all");
    } else {
      known.put("roles", new JsonArray(roles));
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(key);
    out.println(known.encode());
    return Exit.OK;
  }

  private static String secret() {
    byte[] bytes = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
