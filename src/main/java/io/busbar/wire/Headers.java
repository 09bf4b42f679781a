package io.busbar.wire;

/** The names of the message headers. */
public final class Headers {
  /** Which operation; set by the asker. */
  public static final String ACTION = "action";

  /** The address that gets the answer, returned unchanged; set by the asker. */
  public static final String FROM = "from";

  /** The asker's name for the operation, returned unchanged; {@code cancel} takes it. */
  public static final String ID = "id";

  /** {@link #ERRORS_AS_BODY} where a failure is to come as a body; set by the asker. */
  public static final String ERRORS = "errors";

  /** The value of {@link #ERRORS} that asks for a body. */
  public static final String ERRORS_AS_BODY = "body";

  /** Milliseconds the operation may take from its arrival on; 0 for the instance's own limit. */
  public static final String TIMEOUT = "timeout";

  /**
   * Fuel: what the operation may use at most, set by the asker; and what it has used, in each
   * answer of an instance that is metered.
   */
  public static final String FUEL = "fuel";

  /** Who asks; set by the gateway and the host only. */
  public static final String USER = "user";

  /**
   * {@link #IS_SHARED} where who asks may use what is the operator's beside what is their own; set
   * by the gateway and the host only.
   */
  public static final String SHARED = "shared";

  /** The value of {@link #SHARED}. */
  public static final String IS_SHARED = "true";

  /**
   * The caller address: set by the host on a message to an import's address, passed on by clients.
   */
  public static final String CALLER = "caller";

  /** The instances whose calls wait for this one, outermost first, with commas; set by the host. */
  public static final String CHAIN = "chain";

  /** Which import a message is about, {@code env.sum3}; set by the host. */
  public static final String IMPORT = "import";

  /** Which instance: asked for at the common address, and named in each answer. */
  public static final String INSTANCE = "instance";

  /**
   * How often the instance has begun anew: in the first answer after another node has taken it
   * over. Set by the host, also on the start by which a node takes over.
   */
  public static final String EPOCH = "epoch";

  /** The number of one of several copies that is to be started; set by nodes only. */
  public static final String COPY = "copy";

  /** The node that passed a message on and answers its asker; set by nodes only. */
  public static final String VIA = "via";

  /**
   * What that node calls the time since it last had to give the receiver up: what was sent before
   * is not run after it. Set by nodes only.
   */
  public static final String TERM = "term";

  /** {@link #OK} or {@link #ERROR}, in each answer. */
  public static final String STATUS = "status";

  /** The status of an answer that has results. */
  public static final String OK = "ok";

  /** The status of an answer that has an error. */
  public static final String ERROR = "error";

  private Headers() {}
}
