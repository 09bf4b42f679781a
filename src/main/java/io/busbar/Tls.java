package io.busbar;

import io.vertx.core.eventbus.EventBusOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.PemTrustOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * What a node shows to the others on the event bus, and whom it believes: who has a certificate of
 * this CA is a node, whatever its name, and nobody else is heard.
 *
 * @param cert PEM: the node's certificate and what leads from it to the CA
 * @param key PEM, PKCS #8: the private key of that certificate, RSA or EC
 * @param ca PEM: one or more that sign certificates of nodes and nothing else
 */
public record Tls(Path cert, Path key, Path ca) {
  /** Every connection of the bus is between two that know each other. */
  void secure(EventBusOptions bus) {
    bus.setSsl(true)
        .setKeyCertOptions(
            new PemKeyCertOptions().setCertPath(cert.toString()).setKeyPath(key.toString()))
        .setTrustOptions(new PemTrustOptions().addCertPath(ca.toString()))
        .setTrustAll(false) // the bus's own standard is true
        .setClientAuth(ClientAuth.REQUIRED)
        .setEnabledSecureTransportProtocols(Set.of("TLSv1.3"));
  }

  /** Fails with {@code BAD_REQUEST}, naming key and file, where other nodes would refuse it. */
  void check() {
    Pem shown = new Pem("cluster.tls.cert", cert);
    Pem secret = new Pem("cluster.tls.key", key);
    List<X509Certificate> chain = shown.certificates();
    X509TrustManager nodes = believing(new Pem("cluster.tls.ca", ca).certificates());
    checkFits(shown, secret);
    try {
      X509Certificate[] asOthers = chain.toArray(X509Certificate[]::new);
      nodes.checkClientTrusted(asOthers, "UNKNOWN");
      nodes.checkServerTrusted(asOthers, "UNKNOWN");
    } catch (CertificateException e) {
      throw shown.refused("who trusts `" + ca + "` refuses it: " + e.getMessage());
    }
  }

  /** Fails with {@code BAD_REQUEST} where the one is not the key of the other. */
  static void checkFits(Pem cert, Pem key) {
    if (!fits(key.privateKey(), cert.certificates().get(0).getPublicKey())) {
      throw key.refused("it is not the key of `" + cert.file() + "`");
    }
  }

  /** Whether what the one signs the other verifies. */
  private static boolean fits(PrivateKey secret, PublicKey known) {
    try {
      String kind = known.getAlgorithm().equals("EC") ? "ECDSA" : known.getAlgorithm();
      Signature signature = Signature.getInstance("SHA256with" + kind);
      signature.initSign(secret);
      byte[] signed = signature.sign();
      signature.initVerify(known);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static X509TrustManager believing(List<X509Certificate> authorities) {
    try {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      for (X509Certificate authority : authorities) {
        store.setCertificateEntry("ca-" + store.size(), authority);
      }
      TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
      factory.init(store);
      return (X509TrustManager) factory.getTrustManagers()[0];
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
