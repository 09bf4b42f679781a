package io.busbar.engine;

import com.dylibso.chicory.runtime.Instance;
import io.busbar.model.Caller;
import io.busbar.model.WasmException;
import java.util.List;
import java.util.Optional;

/** The guest that waits for a callback, as that callback sees it: until it returns. */
final class Callback implements Caller {
  private final Guest guest;
  private final Instance instance; // the one that called: for its memory
  private final Thread thread = Thread.currentThread();
  private boolean closed;

  Callback(Guest guest, Instance instance) {
    this.guest = guest;
    this.instance = instance;
  }

  /** The callback has returned. */
  void close() {
    closed = true;
  }

  private Guest guest() {
    if (Thread.currentThread() != thread || closed) {
      throw WasmException.noSuchCaller();
    }
    return guest;
  }

  /** The memory of the part that called; one it does not export only if it exports none. */
  private GuestMemory memory(String name) {
    Part part = guest().partOf(instance);
    if (name == null && part.firstMemory().isEmpty() && instance.memory() != null) {
      return (GuestMemory) instance.memory();
    }
    return part.memory(name);
  }

  @Override
  public boolean exists(String function) {
    return guest().exists(function);
  }

  @Override
  public List<Object> call(String function, List<?> params) {
    return guest().call(function, params);
  }

  @Override
  public byte[] invoke(String function, byte[] input, long most) {
    return guest().invoke(function, input, most);
  }

  @Override
  public Object global(String name) {
    return guest().global(name);
  }

  @Override
  public Object setGlobal(String name, Object value) {
    return guest().setGlobal(name, value);
  }

  @Override
  public Optional<String> memoryName(String memory) {
    memory(memory); // it may be there without a name
    Part part = guest().partOf(instance);
    return memory == null ? part.firstMemory() : Optional.of(part.memoryName(memory));
  }

  @Override
  public int pages(String memory) {
    return memory(memory).pages();
  }

  @Override
  public byte[] read(String memory, long offset, long length) {
    return Guest.read(memory(memory), offset, length);
  }

  @Override
  public void write(String memory, long offset, byte[] bytes) {
    Guest.write(memory(memory), offset, bytes);
  }

  @Override
  public int grow(String memory, long pages) {
    return Guest.grow(memory(memory), pages);
  }

  @Override
  public long fuel() {
    return guest().fuel();
  }

  @Override
  public void setFuel(long fuel) {
    guest().setFuel(fuel);
  }
}
