package io.busbar.engine.wasi;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.NotLinkException;

/** The numbers by which a WASI function says why it did nothing. */
enum Errno {
  ACCES(2),
  BADF(8),
  EXIST(20),
  FBIG(22),
  ILSEQ(25),
  INVAL(28),
  IO(29),
  ISDIR(31),
  LOOP(32),
  MFILE(33),
  NAMETOOLONG(37),
  NOENT(44),
  NOSPC(51),
  NOSYS(52),
  NOTDIR(54),
  NOTEMPTY(55),
  NOTSUP(58),
  PERM(63),
  ROFS(69),
  SPIPE(70),
  XDEV(75);

  /** Ends a WASI function with an error number. */
  static final class Thrown extends Exception {
    private static final long serialVersionUID = 1L;

    final Errno errno;

    private Thrown(Errno errno) {
      super(errno.name(), null, false, false);
      this.errno = errno;
    }
  }

  final int number;

  Errno(int number) {
    this.number = number;
  }

  Thrown thrown() {
    return new Thrown(this);
  }

  /** The number for what a file system throws. */
  static Errno of(IOException e) {
    if (e instanceof NoSuchFileException) {
      return NOENT;
    } else if (e instanceof FileAlreadyExistsException) {
      return EXIST;
    } else if (e instanceof DirectoryNotEmptyException) {
      return NOTEMPTY;
    } else if (e instanceof NotDirectoryException) {
      return NOTDIR;
    } else if (e instanceof AccessDeniedException) {
      return ACCES;
    } else if (e instanceof NotLinkException) {
      return INVAL;
    } else if (e instanceof FileSystemLoopException) {
      return LOOP;
    } else if (e instanceof AtomicMoveNotSupportedException) {
      return XDEV;
    }
    return e instanceof ClosedChannelException ? BADF : IO;
  }
}
