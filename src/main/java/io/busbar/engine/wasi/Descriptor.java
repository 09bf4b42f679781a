package io.busbar.engine.wasi;

import java.io.IOException;

/** What a guest's file number stands for. */
sealed interface Descriptor permits Descriptor.In, Descriptor.Out, Directory, OpenFile {
  int UNKNOWN = 0; // types of files, as WASI numbers them
  int DIRECTORY = 3;
  int REGULAR_FILE = 4;
  int SYMBOLIC_LINK = 7;

  /** The guest's stdin. */
  record In(Input stream) implements Descriptor {}

  /** The guest's stdout or stderr. */
  record Out(Output stream) implements Descriptor {
    @Override
    public void close() {
      stream.close();
    }
  }

  /** What kind of file it is. */
  default int type() {
    return UNKNOWN;
  }

  /** What may be done with it. */
  default long rights() {
    return this instanceof In ? Rights.READ | Rights.POLL : Rights.WRITE | Rights.POLL;
  }

  default void close() throws IOException {}
}
