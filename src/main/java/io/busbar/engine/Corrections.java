package io.busbar.engine;

import com.dylibso.chicory.runtime.MStack;
import com.dylibso.chicory.wasm.WasmModule;
import com.dylibso.chicory.wasm.types.FunctionBody;
import com.dylibso.chicory.wasm.types.Instruction;
import com.dylibso.chicory.wasm.types.OpCode;
import com.dylibso.chicory.wasm.types.Value;
import java.util.EnumSet;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Puts {@link Corrected} in the place of the engine's own instructions. */
final class Corrections {
  private static final Set<OpCode> CODES =
      EnumSet.of(
          OpCode.F32_ABS,
          OpCode.F64_ABS,
          OpCode.F32_MIN,
          OpCode.F64_MIN,
          OpCode.F32_MAX,
          OpCode.F64_MAX,
          OpCode.F32_CEIL,
          OpCode.F64_CEIL,
          OpCode.F32_FLOOR,
          OpCode.F64_FLOOR,
          OpCode.F32_TRUNC,
          OpCode.F64_TRUNC,
          OpCode.F32_NEAREST,
          OpCode.F64_NEAREST);

  private static final String ENGINES = "com/dylibso/chicory/runtime/OpcodeImpl";
  private static final String OURS = Corrected.class.getName().replace('.', '/');

  private Corrections() {}

  /** Whether a module has any of these instructions. */
  static boolean concern(WasmModule module) {
    for (FunctionBody body : module.codeSection().functionBodies()) {
      for (Instruction instruction : body.instructions()) {
        if (CODES.contains(instruction.opcode())) {
          return true;
        }
      }
    }
    return false;
  }

  /** A generated class, which calls ours afterwards. */
  static byte[] inClass(byte[] generated) {
    ClassReader reader = new ClassReader(generated);
    ClassWriter writer = new ClassWriter(reader, 0);
    reader.accept(
        new ClassVisitor(Opcodes.ASM9, writer) {
          @Override
          public MethodVisitor visitMethod(
              int access, String name, String type, String generic, String[] exceptions) {
            return inMethod(super.visitMethod(access, name, type, generic, exceptions));
          }
        },
        0);
    return writer.toByteArray();
  }

  private static MethodVisitor inMethod(MethodVisitor writer) {
    return new MethodVisitor(Opcodes.ASM9, writer) {
      @Override
      public void visitMethodInsn(
          int opcode, String owner, String name, String type, boolean ofInterface) {
        boolean wrong = owner.equals(ENGINES) && isCorrected(name);
        super.visitMethodInsn(opcode, wrong ? OURS : owner, name, type, ofInterface);
      }
    };
  }

  private static boolean isCorrected(String name) {
    return CODES.stream().anyMatch(code -> code.name().equals(name));
  }

  /** Before the interpreter runs an instruction: gives it what it does the right thing with. */
  static void onStack(Instruction instruction, MStack stack) {
    if (!CODES.contains(instruction.opcode())) {
      return;
    }
    switch (instruction.opcode()) {
      case F32_ABS -> stack.push(Value.floatToLong(Corrected.F32_ABS(f32(stack))));
      case F64_ABS -> stack.push(Value.doubleToLong(Corrected.F64_ABS(f64(stack))));
      case F32_MIN, F32_MAX -> {
        float upper = f32(stack);
        quietF32(stack);
        stack.push(Value.floatToLong(Corrected.quiet(upper)));
      }
      case F64_MIN, F64_MAX -> {
        double upper = f64(stack);
        quietF64(stack);
        stack.push(Value.doubleToLong(Corrected.quiet(upper)));
      }
      case F32_CEIL, F32_FLOOR, F32_TRUNC, F32_NEAREST -> quietF32(stack);
      default -> quietF64(stack);
    }
  }

  private static float f32(MStack stack) {
    return Value.longToFloat(stack.pop());
  }

  private static double f64(MStack stack) {
    return Value.longToDouble(stack.pop());
  }

  private static void quietF32(MStack stack) {
    stack.push(Value.floatToLong(Corrected.quiet(f32(stack))));
  }

  private static void quietF64(MStack stack) {
    stack.push(Value.doubleToLong(Corrected.quiet(f64(stack))));
  }
}
