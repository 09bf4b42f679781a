package io.busbar.engine;

import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * The class of helpers that each module's generated classes get a copy of, with those that are
 * wrong replaced by ours: they call the method of the same name and type in {@link Tables}.
 */
final class HelperClass extends ClassVisitor {
  private static final Set<String> WRONG = Set.of("tableFill", "tableCopy", "tableInit");

  private int replaced;

  private HelperClass(ClassVisitor next) {
    super(Opcodes.ASM9, next);
  }

  static byte[] mend(byte[] helpers) {
    ClassReader reader = new ClassReader(helpers);
    ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
    HelperClass mending = new HelperClass(writer);
    reader.accept(mending, 0);
    if (mending.replaced != WRONG.size()) {
      throw new IllegalStateException("the engine's helpers are not those that were known");
    }
    return writer.toByteArray();
  }

  @Override
  public MethodVisitor visitMethod(
      int access, String name, String type, String generic, String[] thrown) {
    MethodVisitor method = super.visitMethod(access, name, type, generic, thrown);
    if (!WRONG.contains(name)) {
      return method;
    }
    replaced++;
    callOurs(method, name, type);
    return null;
  }

  private static void callOurs(MethodVisitor method, String name, String type) {
    method.visitCode();
    int slot = 0;
    for (Type argument : Type.getArgumentTypes(type)) {
      method.visitVarInsn(argument.getOpcode(Opcodes.ILOAD), slot);
      slot += argument.getSize();
    }
    String ours = Type.getInternalName(Tables.class);
    method.visitMethodInsn(Opcodes.INVOKESTATIC, ours, name, type, false);
    method.visitInsn(Opcodes.RETURN);
    method.visitMaxs(0, 0);
    method.visitEnd();
  }
}
