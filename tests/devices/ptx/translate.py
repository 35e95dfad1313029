#!/usr/bin/env python3
"""Writes the kernels of PTX code, as clang makes it from OpenCL C, as C code.

    translate.py CODE.ptx > kernels.c

Instructions become calls of what instructions.h defines under the same name; registers become variables, blocks
blocks, labels labels. A name of memory is a variable that holds its address. groups.c runs the result.
"""
import re
import sys

SIZES = {"b8": 1, "u8": 1, "s8": 1, "b16": 2, "u16": 2, "s16": 2, "b32": 4, "u32": 4, "s32": 4, "f32": 4,
         "b64": 8, "u64": 8, "s64": 8}
REGISTERS = {"pred": "pred", "b16": "b16", "u16": "b16", "s16": "b16", "b32": "b32", "u32": "b32", "s32": "b32",
             "f32": "b32", "b64": "b64", "u64": "b64", "s64": "b64"}
SPACES = {"global", "shared", "local", "const", "param", "generic"}
VARIABLE = r"(?:\.align (\d+) )?\.(\w+)\s+([\w$]+)(?:\[(\d+)\])?"


class Unknown(Exception):
    pass


class Variable:
    """Memory that a declaration names: `.align 8 .b8 name[40]`."""

    def __init__(self, text):
        plain = re.sub(r"\.ptr( \.(global|shared|const))?( \.align \d+)?", "", " ".join(text.split()))
        match = re.search(VARIABLE + r"\s*(?:=(.*))?$", plain)
        if not match or match.group(2) not in SIZES:
            raise Unknown(text)
        size = SIZES[match.group(2)]
        self.type, self.name = match.group(2), match.group(3)
        self.size = size * int(match.group(4) or 1)
        self.alignment = max(size, int(match.group(1) or 1))
        self.values = match.group(5)
        self.kind = ("PARAMETER_LOCAL" if ".ptr .shared" in text else
                     "PARAMETER_GLOBAL" if ".ptr" in text else "PARAMETER_VALUE")

    def storage(self, prefix=""):
        values = " = {%s}" % ", ".join(map(operand, self.values.strip(" {}").split(","))) if self.values else ""
        return "%s%s %s_bytes[%d] __attribute__((aligned(16)))%s;" % (
            prefix, "u" + self.type[1:], self.name, max(1, self.size // SIZES[self.type]), values)

    def address(self):
        return "const u64 %s = (u64)%s_bytes;" % (self.name, self.name)


class Places:
    """Variables one after the other, each as it is aligned."""

    def __init__(self):
        self.variables, self.size = [], 0

    def copy(self):
        other = Places()
        other.variables, other.size = list(self.variables), self.size
        return other

    def add(self, variable):
        at = -(-self.size // variable.alignment) * variable.alignment
        self.variables.append((variable, at))
        self.size = at + variable.size


def operand(text):
    """A register, a number, a name of memory or a special register, as C."""
    text = text.strip()
    special = re.fullmatch(r"%(n?tid|n?ctaid)\.([xyz])", text)
    if special:
        return "item->%s[%d]" % (special.group(1), "xyz".index(special.group(2)))
    if re.fullmatch(r"0[fF][0-9a-fA-F]{8}", text):
        return "0x%su" % text[2:]
    if re.fullmatch(r"-?\d+", text):
        return text + ("ULL" if int(text) > 0x7fffffffffffffff else "")
    if re.fullmatch(r"%?[A-Za-z_$][\w$]*", text):
        return text.lstrip("%")
    raise Unknown(text)


def address(text):
    name, offset = re.fullmatch(r"\[\s*([^\]+]+?)(?:\+(-?\d+))?\s*\]", text).groups()
    return "%s + (u64)%s" % (operand(name), offset or 0)


def split(text):
    """Operands between commas that no bracket encloses."""
    return [part.strip() for part in re.findall(r"(?:\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|[^,{\[(])+", text) if part.strip()]


def elements(text):
    return [operand(part) for part in text.strip("{} ").split(",")]


class Body:
    """The statements of a function as lines of C."""

    places = 0  # of barriers, in all functions

    def __init__(self, shared):
        self.shared, self.barriers, self.lines = shared, 0, []

    def translate(self, text):
        for statement in re.findall(r"[{}]|[\w$]+:(?!:)|[^;{}\s](?:\{[^}]*\}|[^;{}])*;", text):
            if statement in "{}":
                self.lines.append(statement)
            elif statement.endswith(":"):
                self.lines.append(statement + ";")
            else:
                self.lines.append(self.statement(" ".join(statement[:-1].split())))
        return self.lines

    def statement(self, text):
        if text.startswith("."):
            return self.declaration(text)
        guard = re.match(r"@(!?)%(\w+) ", text)
        if guard:
            return "if (%s%s) { %s }" % (guard.group(1), guard.group(2), self.instruction(text[guard.end():]))
        return self.instruction(text)

    def declaration(self, text):
        if text.startswith(".pragma"):
            return ""
        if text.startswith(".reg"):
            kind, name, count = re.fullmatch(r"\.reg \.(\w+) %?([\w$]+)(?:<(\d+)>)?", text).groups()
            names = ["%s%d" % (name, i) for i in range(int(count))] if count else [name]
            return "%s %s;" % (REGISTERS[kind], ", ".join(names))
        variable = Variable(text)
        if text.startswith(".shared"):
            self.shared.add(variable)
            return ""
        if text.startswith((".local", ".param")):
            return variable.storage() + " " + variable.address()
        raise Unknown(text)

    def instruction(self, text):
        name, _, rest = text.partition(" ")
        parts, operands = name.split("."), split(rest)
        if parts[0] in ("ret", "exit"):
            return "return;"
        if parts[0] == "bra":
            return "goto %s;" % operands[0]
        if parts[0] in ("bar", "barrier"):
            Body.places += 1
            self.barriers += 1
            return "item->wait(item, %d);" % Body.places
        if parts[0] in ("membar", "fence"):
            return "item->pause(item);"
        if parts[0] == "call":
            return self.call(operands)
        if parts[0] in ("ld", "st"):
            return self.memory(parts, operands)
        if parts[0] in ("atom", "red"):
            return self.atomic(parts, operands)
        if parts[0] == "mov" and "{" in rest:
            return self.packed(operands)
        if parts[0] == "cvta":
            return "%s = %s;" % (operand(operands[0]), operand(operands[1]))
        return "%s = %s(%s);" % (operand(operands[0]), "_".join(parts), ", ".join(map(operand, operands[1:])))

    def call(self, operands):
        result = [operand(operands.pop(0).strip("() "))] if operands[0].startswith("(") else []
        arguments = [operand(part) for part in operands[1].strip("() ").split(",")] if len(operands) > 1 else []
        return "%s(%s);" % (operand(operands[0]), ", ".join(["item"] + result + arguments))

    def memory(self, parts, operands):
        kind = parts[-1].replace("b", "u")
        where, values = (operands[1], operands[0]) if parts[0] == "ld" else operands
        names = elements(values)
        lines = ["const u64 at = %s;" % address(where)]
        if len(names) > 1:
            lines.append("place(item, at, %d);" % (len(names) * SIZES[kind]))
        for i, register in enumerate(names):
            at = "at + %d" % (i * SIZES[kind])
            lines.append("%s = ld_%s(item, %s);" % (register, kind, at) if parts[0] == "ld"
                         else "st_%s(item, %s, %s);" % (kind, at, register))
        return "{ %s }" % " ".join(lines)

    def atomic(self, parts, operands):
        result = operand(operands.pop(0)) + " = " if parts[0] == "atom" else ""
        values = [operand(part) for part in operands[1:]] + ["0"]
        return "%satom_%s(item, %s, %s);" % (result, "_".join(parts[-2:]), address(operands[0]),
                                             ", ".join(values[:2]))

    def packed(self, operands):
        """Two halves become one register, or it becomes them."""
        low, high = elements(operands[0] if "{" in operands[0] else operands[1])
        if "{" in operands[0]:
            whole = operand(operands[1])
            return "{ const u64 whole = %s; %s = whole; %s = whole >> 4 * sizeof %s; }" % (whole, low, high, whole)
        whole = operand(operands[0])
        return "%s = (u64)%s | (u64)%s << 4 * sizeof %s;" % (whole, low, high, whole)


class Function:
    """A kernel or what one calls; `text` is None where it is only declared."""

    def __init__(self, kind, head, text):
        self.is_kernel, self.text = kind == "entry", text
        match = re.match(r"(?:\(([^)]*)\)\s*)?([\w$]+)\s*(?:\(([^)]*)\))?", head)
        self.name = match.group(2)
        results_first = [match.group(1), match.group(3)]
        self.variables = [Variable(part) for group in results_first if group
                          for part in group.split(",") if part.strip()]

    def head(self):
        if self.is_kernel:
            return "static void run_%s(work_item *item, unsigned char *parameters)" % self.name
        return "static void %s(work_item *item%s)" % (
            self.name, "".join(", u64 " + variable.name for variable in self.variables))


def functions(code):
    """All functions, and the code without their bodies."""
    found, outside, at = [], "", 0
    for match in re.finditer(r"\.(entry|func)\b\s*([^{;]*)([{;])", code):
        end, depth = match.end(), match.group(3) == "{"
        while depth > 0:
            depth += {"{": 1, "}": -1}.get(code[end], 0)
            end += 1
        found.append(Function(match.group(1), match.group(2),
                              code[match.end():end - 1] if match.group(3) == "{" else None))
        outside += code[at:match.start()]
        at = end
    return found, outside + code[at:]


def module_variables(outside, shared):
    """Memory that is declared outside of functions: lines of C, and variables that hold where it is."""
    for match in re.finditer(r"\.(shared|global|const)\b([^;]*);", outside):
        variable = Variable(match.group(2))
        if match.group(1) == "shared":
            shared.add(variable)
        else:
            yield variable


def write_function(function, module, shared, write):
    """Returns what the table of kernels says of it."""
    body, parameters = Body(shared), Places()
    lines = body.translate(function.text)
    write("\n%s {" % function.head())
    for variable in module:
        write(variable.address())
    for variable, at in shared.variables:
        write("const u64 %s = (u64)(item->local + %d);" % (variable.name, at))
    if function.is_kernel:
        for variable in function.variables:
            parameters.add(variable)
        for variable, at in parameters.variables:
            write("const u64 %s = (u64)(parameters + %d);" % (variable.name, at))
    for line in lines:
        write(line)
    write("}")
    return parameters.variables, body.barriers


def write_kernels(code, write):
    found, outside = functions(code)
    of_all, table = Places(), []
    module = list(module_variables(outside, of_all))
    write('#include "instructions.h"\n')
    for variable in module:
        write(variable.storage("static "))
    for function in found:
        if not function.is_kernel:
            write(function.head() + ";")
    apart_barriers = 0
    for function in sorted((one for one in found if one.text is not None), key=lambda one: one.is_kernel):
        shared = of_all.copy()
        parameters, barriers = write_function(function, module, shared, write)
        if not function.is_kernel:
            apart_barriers += barriers
            continue
        write("static const kernel_parameter parameters_%s[] = {%s};" % (function.name, ", ".join(
            "{%d, %d, %s}" % (at, v.size, v.kind) for v, at in parameters)))
        table.append('{"%s", run_%s, parameters_%s, %d, %d, %d},' % (
            function.name, function.name, function.name, len(parameters), shared.size, barriers + apart_barriers))
    write("\nconst kernel_code kernels[] = {\n%s\n{0}};" % "\n".join(table))


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        code = re.sub(r"//[^\n]*|/\*.*?\*/", "", file.read(), flags=re.S)
    lines = []
    try:
        write_kernels(code, lines.append)
    except (Unknown, KeyError, ValueError, AttributeError) as problem:
        sys.exit("translate.py: not understood: %s" % problem)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
