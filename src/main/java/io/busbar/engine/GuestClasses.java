package io.busbar.engine;

import com.dylibso.chicory.compiler.InterpreterFallback;
import com.dylibso.chicory.compiler.internal.ClassLoadingCollector;
import com.dylibso.chicory.runtime.Instance;
import com.dylibso.chicory.runtime.Machine;
import com.dylibso.chicory.runtime.internal.CompilerInterpreterMachine;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.commons.ClassRemapper;
import org.objectweb.asm.commons.Remapper;
import org.objectweb.asm.commons.SimpleRemapper;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;

/**
 * The classes that the engine generates for a module, loaded one by one. Functions they leave to
 * the interpreter run in our {@link Fallback}, those of a metered module pay by {@link Fuel} where
 * they would call a mark, and {@link Corrected} is called where need be.
 */
final class GuestClasses extends ClassLoadingCollector {
  /** The method that looks for an interrupt, in a class of its own; {@link Fuel} does it too. */
  private static final String LOOK = "checkInterruption";

  private static final String INTERPRETER = Type.getInternalName(CompilerInterpreterMachine.class);

  private final int firstMark; // beyond all functions where the module is not metered
  private final boolean corrected;

  private GuestClasses(CompiledModule module) {
    this.firstMark = module.firstMark();
    this.corrected = module.isCorrected();
  }

  /**
   * Makes the machines of a module; functions too large for a method of the JVM are interpreted.
   */
  static Function<Instance, Machine> compile(CompiledModule module) {
    var result =
        com.dylibso.chicory.compiler.internal.Compiler.builder(module.wasm())
            .withClassName(module.className())
            .withInterpreterFallback(InterpreterFallback.SILENT)
            .withClassCollectorFactory(() -> new GuestClasses(module))
            .build()
            .compile();
    return ((ClassLoadingCollector) result.collector()).machineFactory();
  }

  /** The engine's own class that is to become a part of the module's. */
  @Override
  public byte[] resolve(Class<?> helpers) {
    return HelperClass.mend(super.resolve(helpers));
  }

  @Override
  public void putMainClass(String className, byte[] bytes) {
    super.putMainClass(className, withFallback(bytes));
  }

  @Override
  public void put(String className, byte[] bytes) {
    byte[] right = corrected ? Corrections.inClass(bytes) : bytes;
    byte[] ours = withFallback(right);
    super.put(className, firstMark == Integer.MAX_VALUE ? ours : metered(ours));
  }

  /** The class with our {@link Fallback} where it has the engine's. */
  private static byte[] withFallback(byte[] bytes) {
    if (!new String(bytes, StandardCharsets.ISO_8859_1).contains(INTERPRETER)) {
      return bytes;
    }
    ClassWriter writer = new ClassWriter(0);
    Remapper names =
        new SimpleRemapper(Opcodes.ASM9, INTERPRETER, Type.getInternalName(Fallback.class));
    new ClassReader(bytes).accept(new ClassRemapper(writer, names), 0);
    return writer.toByteArray();
  }

  private byte[] metered(byte[] bytes) {
    ClassReader reader = new ClassReader(bytes);
    ClassWriter writer = new ClassWriter(reader, 0);
    reader.accept(
        new ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public MethodVisitor visitMethod(
              int access, String name, String type, String signature, String[] exceptions) {
            MethodVisitor method = super.visitMethod(access, name, type, signature, exceptions);
            Metering.Mark mark = mark(name);
            if (mark != null) {
              writeMark(method, mark);
              return null;
            } else if (name.equals(LOOK)) {
              writeNothing(method);
              return null;
            }
            return new Paying(access, name, type, method);
          }
        },
        0);
    return writer.toByteArray();
  }

  /** The mark that a method is; null for any other. */
  private Metering.Mark mark(String method) {
    return method.startsWith(Trace.COMPILED_FUNCTION)
        ? Metering.Mark.of(
            Integer.parseInt(method.substring(Trace.COMPILED_FUNCTION.length())), firstMark)
        : null;
  }

  /** What functions call that are interpreted: they are rare enough to call it. */
  private static void writeMark(MethodVisitor method, Metering.Mark mark) {
    method.visitCode();
    method.visitVarInsn(Opcodes.ILOAD, 0);
    payment(mark).accept(method);
    method.visitInsn(Opcodes.RETURN);
    method.visitMaxs(1, 3);
    method.visitEnd();
  }

  private static void writeNothing(MethodVisitor method) {
    method.visitCode();
    method.visitInsn(Opcodes.RETURN);
    method.visitMaxs(0, 0);
    method.visitEnd();
  }

  /**
   * A method in which calls of marks become payments. Before each such call the engine looks for an
   * interrupt and loads memory and instance, which is left out then.
   */
  private final class Paying extends MethodNode {
    private final MethodVisitor target;

    Paying(int access, String name, String type, MethodVisitor target) {
      super(Opcodes.ASM9, access, name, type, null, null);
      this.target = target;
    }

    @Override
    public void visitEnd() {
      for (AbstractInsnNode each : instructions.toArray()) {
        if (each instanceof MethodInsnNode call && mark(call.name) != null) {
          payInstead(call, mark(call.name));
        }
      }
      accept(target);
    }

    private void payInstead(MethodInsnNode call, Metering.Mark mark) {
      AbstractInsnNode instance = call.getPrevious();
      AbstractInsnNode memory = instance.getPrevious();
      AbstractInsnNode look = memory.getPrevious();
      if (look instanceof MethodInsnNode looking && looking.name.equals(LOOK)) {
        instructions.remove(instance);
        instructions.remove(memory);
        instructions.remove(look);
        instructions.set(call, payment(mark));
      }
    }
  }

  private static MethodInsnNode payment(Metering.Mark mark) {
    return new MethodInsnNode(
        Opcodes.INVOKESTATIC, Type.getInternalName(Fuel.class), mark.fuel(), "(I)V", false);
  }
}
