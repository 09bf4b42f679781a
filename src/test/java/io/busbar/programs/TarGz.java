package io.busbar.programs;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Reads what npm packs: a gzipped tar of plain files with short names. */
final class TarGz {
  private static final int BLOCK = 512;

  private TarGz() {}

  /** The file of this name in the archive. */
  static byte[] read(Path archive, String name) throws IOException {
    try (InputStream in = open(archive)) {
      byte[] header = in.readNBytes(BLOCK);
      while (header.length == BLOCK && header[0] != 0) {
        int size = Integer.parseInt(text(header, 124, 12).strip(), 8);
        if (text(header, 0, 100).equals(name)) {
          return in.readNBytes(size);
        }
        in.skipNBytes((size + BLOCK - 1) / BLOCK * BLOCK);
        header = in.readNBytes(BLOCK);
      }
    }
    throw new NoSuchFileException(name, archive.toString(), "not in the archive");
  }

  private static InputStream open(Path archive) throws IOException {
    return new BufferedInputStream(new GZIPInputStream(Files.newInputStream(archive)));
  }

  private static String text(byte[] header, int from, int length) {
    int end = from;
    while (end < from + length && header[end] != 0) {
      end++;
    }
    return new String(header, from, end - from, StandardCharsets.US_ASCII);
  }
}
