package io.busbar;

import io.busbar.model.Failure;
import io.busbar.model.WasmException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A file of certificates or of a private key.
 *
 * @param key the setting that names it
 */
record Pem(String key, Path file) {
  private static final Pattern PRIVATE_KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----");

  /** Of a certificate the bus can show. */
  private static final List<String> KINDS = List.of("EC", "RSA");

  /** At least one. */
  List<X509Certificate> certificates() {
    List<X509Certificate> found;
    try {
      found =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(bytes()))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
    } catch (CertificateException e) {
      throw refused("it has no certificate in PEM");
    }
    if (found.isEmpty()) {
      throw refused("it has no certificate in PEM");
    }
    return found;
  }

  PrivateKey privateKey() {
    Matcher pem = PRIVATE_KEY.matcher(new String(bytes(), StandardCharsets.ISO_8859_1));
    if (!pem.find()) {
      throw refused("it has no private key in PEM: PKCS #8, without a password");
    }
    PKCS8EncodedKeySpec spec =
        new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(pem.group(1)));
    for (String kind : KINDS) {
      try {
        return KeyFactory.getInstance(kind).generatePrivate(spec);
      } catch (GeneralSecurityException e) {
        continue; // it may be of the other kind
      }
    }
    throw refused("its private key is neither EC nor RSA");
  }

  private byte[] bytes() {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw refused(Files.exists(file) ? "it cannot be read" : "no such file");
    }
  }

  WasmException refused(String why) {
    return Failure.BAD_REQUEST.because("`%s` `%s`: %s", key, file, why);
  }
}
