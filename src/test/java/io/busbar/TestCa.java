package io.busbar;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** A CA for one test, with the JDK's own tool: its keys are made anew and go with the folder. */
public final class TestCa {
  private static final Path KEYTOOL = Path.of(System.getProperty("java.home"), "bin", "keytool");
  private static final String PASSWORD = "not-a-secret";

  private final Path folder;

  private TestCa(Path folder) {
    this.folder = folder;
  }

  /** In this folder, which is made. */
  public static TestCa in(Path folder) throws Exception {
    TestCa ca = new TestCa(Files.createDirectory(folder));
    ca.make("ca", "-ext", "bc:c=ca:true", "-ext", "ku:c=keyCertSign");
    ca.write("ca");
    return ca;
  }

  /** The settings {@code cluster.tls} of a node with a certificate of this name. */
  public JsonObject node(String name, String... options) throws Exception {
    List<String> all = new ArrayList<>();
    all.addAll(List.of("-signer", "ca", "-ext", "eku=serverAuth,clientAuth"));
    all.addAll(List.of(options)); // of what is said twice, the second holds
    make(name, all.toArray(String[]::new));
    write(name);
    return new JsonObject()
        .put("cert", file(name + ".crt").toString())
        .put("key", file(name + ".key").toString())
        .put("ca", file("ca.crt").toString());
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  private void make(String name, String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(KEYTOOL.toString(), "-genkeypair", "-alias", name));
    command.addAll(List.of("-dname", "CN=" + name, "-keyalg", "EC"));
    command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
    command.addAll(List.of("-keystore", file("keys").toString(), "-storepass", PASSWORD));
    command.addAll(List.of(options));
    Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(keytool.getInputStream().readAllBytes());
    if (keytool.waitFor() != 0) {
      throw new AssertionError(said);
    }
  }

  private void write(String name) throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file("keys"))) {
      keys.load(in, PASSWORD.toCharArray());
    }
    byte[] key = keys.getKey(name, PASSWORD.toCharArray()).getEncoded();
    Files.writeString(
        file(name + ".crt"), pem("CERTIFICATE", keys.getCertificate(name).getEncoded()));
    Files.writeString(file(name + ".key"), pem("PRIVATE KEY", key));
  }

  private static String pem(String what, byte[] bytes) {
    return String.format(
        "-----BEGIN %s-----%n%s%n-----END %s-----%n",
        what, Base64.getMimeEncoder().encodeToString(bytes), what);
  }
}
