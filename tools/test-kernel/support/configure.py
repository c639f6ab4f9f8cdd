#!/usr/bin/env python3
"""The configuration step: a small part of the KConfig language.

    configure.py CONFIG HEADER FRAGMENT FILE...

Reads the symbols of the FILEs (Config.uk of the core, of each library and of the application), takes the values of
FRAGMENT, and writes CONFIG as KConfig does and HEADER for C. A file whose content would stay the same keeps its time.
Symbols that no FILE declares and symbols whose dependencies are not met are dropped from the fragment without a word,
as KConfig drops them.

Known: config, menuconfig, choice, menu, if, comment, source; bool, string, int, hex, def_bool, prompt, default,
depends on, select, imply, range, help; expressions with && || ! = != ( ) and $(VARIABLE) from the environment.
"""

import os
import re
import sys
from dataclasses import dataclass, field

TYPES = ("bool", "string", "int", "hex")


class Problem(Exception):
    """What is wrong in a Config.uk, with its file and line."""


@dataclass
class Symbol:
    name: str
    type: str = ""
    prompts: list = field(default_factory=list)
    defaults: list = field(default_factory=list)
    selects: list = field(default_factory=list)
    implies: list = field(default_factory=list)
    ranges: list = field(default_factory=list)
    depends: list = field(default_factory=list)
    choice: object = None


@dataclass
class Choice:
    prompts: list = field(default_factory=list)
    defaults: list = field(default_factory=list)
    depends: list = field(default_factory=list)
    members: list = field(default_factory=list)
    type: str = "bool"
    name: str = ""


def main(arguments):
    config, header, fragment, *files = arguments
    try:
        write(config, header, Parser().parse(files), read_values(fragment))
    except (Problem, OSError) as problem:
        sys.exit(f"configure: {problem}")


def write(config, header, symbols, asked):
    values = solve(symbols, asked)
    shown = {name: symbol for name, symbol in symbols.items() if symbol.type}
    write_if_changed(config, config_text(shown, values))
    write_if_changed(header, header_text(shown, values))


class Parser:
    def __init__(self):
        self.symbols = {}
        self.choices = []

    def parse(self, files):
        for path in files:
            self.parse_file(path, [])
        return self.symbols

    def parse_file(self, path, conditions):
        # Each open block is (kind, conditions that hold within it, choice).
        blocks = [("file", conditions, None)]
        current = None
        for number, line in logical_lines(path):
            try:
                current = self.parse_line(line, blocks, current, path)
            except Problem as problem:
                raise Problem(f"{path}:{number}: {problem}") from None
        if len(blocks) > 1:
            raise Problem(f"{path}: {blocks[-1][0]} is not closed")

    def parse_line(self, line, blocks, current, path):
        word, _, rest = line.partition(" ")
        rest = rest.strip()
        _, conditions, choice = blocks[-1]
        if word in ("config", "menuconfig"):
            symbol = self.symbols.setdefault(rest, Symbol(rest))
            symbol.depends.extend(conditions)
            if choice is not None:
                symbol.choice = choice
                choice.members.append(symbol)
            return symbol
        if word == "choice":
            choice = Choice(depends=list(conditions), name=rest)
            blocks.append(("choice", list(conditions), choice))
            self.choices.append(choice)
            return choice
        if word == "if":
            blocks.append(("if", [*conditions, parse_expression(rest)], choice))
            return None
        if word == "menu":
            block = ("menu", list(conditions), choice)
            blocks.append(block)
            return Choice(depends=block[1])
        if word in ("endif", "endmenu", "endchoice"):
            kind, _, _ = blocks.pop()
            if kind != word[3:]:
                raise Problem(f"{word} closes {kind}")
            return None
        if word == "comment":
            return Choice()
        if word == "mainmenu":
            return None
        if word in ("source", "rsource", "osource"):
            self.parse_file(os.path.join(os.path.dirname(path), unquote(rest)), list(conditions))
            return None
        if current is None:
            raise Problem(f"'{word}' outside of a config")
        self.parse_attribute(current, word, rest)
        return current

    def parse_attribute(self, item, word, rest):
        value, condition = split_condition(rest)
        if word in TYPES:
            item.type = word
            if value:
                item.prompts.append((unquote(value), condition))
        elif word == "def_bool":
            item.type = "bool"
            item.defaults.append((parse_expression(value), condition))
        elif word == "prompt":
            item.prompts.append((unquote(value), condition))
        elif word == "default":
            item.defaults.append((parse_expression(value), condition))
        elif word == "depends":
            item.depends.append(parse_expression(rest.removeprefix("on").strip()))
        elif word == "select":
            item.selects.append((value, condition))
        elif word == "imply":
            item.implies.append((value, condition))
        elif word == "range":
            low, high = value.split()
            item.ranges.append((low, high, condition))
        elif word != "optional":
            raise Problem(f"'{word}' is not known to the test kernel's configuration")


def logical_lines(path):
    """Lines without comments and help texts; a help text is what is indented deeper than the line after `help`."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().replace("\\\n", " ").split("\n")
    help_indent = None
    for number, raw in enumerate(lines, 1):
        text = raw.expandtabs(8)
        indent = len(text) - len(text.lstrip())
        if help_indent is not None:
            if not text.strip():
                continue
            if help_indent < 0:
                help_indent = indent
            if indent >= help_indent > 0:
                continue
            help_indent = None
        stripped = text.strip()
        if stripped in ("help", "---help---"):
            help_indent = -1
        elif stripped and not stripped.startswith("#"):
            yield number, re.sub(r"\s+#[^\"']*$", "", stripped)


def split_condition(text):
    """Splits `value if condition`, where the value may be a quoted string that holds the word if."""
    match = re.fullmatch(r"(\"(?:[^\"\\]|\\.)*\"|'[^']*'|.*?)(?:\s+if\s+(.*))?", text)
    return match[1].strip(), parse_expression(match[2]) if match[2] else None


def unquote(text):
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    inner = re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
    return re.sub(r"\$\((\w+)\)", lambda match: os.environ.get(match[1], ""), inner)


TOKEN = re.compile(r"\s*(&&|\|\||!=|<=|>=|[!()=<>]|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\w.$()-]+?(?=[\s()!=<>&|]|$))")


def parse_expression(text):
    """Parses to nested tuples: ('or'|'and', a, b), ('not', a), ('='|'!=', a, b), ('value', text), ('symbol', name)."""
    tokens = []
    position = 0
    text = text.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise Problem(f"cannot read the expression '{text}'")
        tokens.append(match[1])
        position = match.end()
    tree = parse_or(tokens)
    if tokens:
        raise Problem(f"unexpected '{tokens[0]}' in '{text}'")
    return tree


def parse_or(tokens):
    left = parse_and(tokens)
    while tokens and tokens[0] == "||":
        tokens.pop(0)
        left = ("or", left, parse_and(tokens))
    return left


def parse_and(tokens):
    left = parse_factor(tokens)
    while tokens and tokens[0] == "&&":
        tokens.pop(0)
        left = ("and", left, parse_factor(tokens))
    return left


def parse_factor(tokens):
    if not tokens:
        raise Problem("an expression ends too early")
    token = tokens.pop(0)
    if token == "!":
        return ("not", parse_factor(tokens))
    if token == "(":
        inner = parse_or(tokens)
        if not tokens or tokens.pop(0) != ")":
            raise Problem("a parenthesis is not closed")
        return inner
    left = parse_atom(token)
    if tokens and tokens[0] in ("=", "!="):
        return (tokens.pop(0), left, parse_atom(tokens.pop(0)))
    return left


def parse_atom(token):
    if token[0] in "\"'" or token in ("y", "n") or re.fullmatch(r"-?\d+|0x[\da-fA-F]+", token):
        return ("value", unquote(token))
    return ("symbol", token)


def solve(symbols, asked):
    """Computes all values: passes over the symbols until nothing changes any more, since each may depend on others."""
    values = {name: "" if symbol.type in ("string", "int", "hex") else "n" for name, symbol in symbols.items()}
    for _ in range(len(symbols) + 2):
        before = dict(values)
        selected = reverse_dependencies(symbols, values, "selects")
        implied = reverse_dependencies(symbols, values, "implies")
        for name, symbol in symbols.items():
            values[name] = symbol_value(symbol, values, asked, name in selected, name in implied)
        if values == before:
            return Values(values, selected)
    raise Problem("the symbols depend on each other in a circle")


class Values(dict):
    """Values by name, and which symbols others select: those are written whatever they depend on."""

    def __init__(self, values, selected):
        super().__init__(values)
        self.selected = selected


def reverse_dependencies(symbols, values, kind):
    return {
        target
        for name, symbol in symbols.items()
        if values[name] == "y"
        for target, condition in getattr(symbol, kind)
        if holds(condition, values)
    }


def symbol_value(symbol, values, asked, selected, implied):
    if symbol.type == "bool" and selected:
        return "y"
    if not available(symbol, values):
        return "n" if symbol.type == "bool" else ""
    if symbol.choice is not None:
        return "y" if chosen_member(symbol.choice, values, asked) is symbol else "n"
    promptable = any(holds(condition, values) for _, condition in symbol.prompts)
    value = asked.get(symbol.name) if promptable else None
    if value is not None and acceptable(symbol, value, values):
        return value
    if symbol.type == "bool" and implied:
        return "y"
    for default, condition in symbol.defaults:
        if holds(condition, values):
            return truth(default, values) if symbol.type == "bool" else text_of(default, values)
    return {"bool": "n", "string": "", "int": "0", "hex": "0x0"}.get(symbol.type, "")


def available(item, values):
    return all(holds(condition, values) for condition in item.depends)


def chosen_member(choice, values, asked):
    open_members = [member for member in choice.members if available(member, values)]
    if not available(choice, values) or not open_members:
        return None
    wanted = [name for name, value in asked.items() if value == "y" and name in {m.name for m in open_members}]
    if not wanted:
        wanted = [text for (_, text), condition in choice.defaults if holds(condition, values)][:1]
    return next((member for member in open_members if wanted and member.name == wanted[-1]), open_members[0])


def acceptable(symbol, value, values):
    pattern = {"bool": r"[yn]", "int": r"-?\d+", "hex": r"0[xX][\da-fA-F]+", "string": r"(?s).*"}[symbol.type]
    if re.fullmatch(pattern, value) is None:
        return False
    return all(
        int(bound(low, values), 0) <= int(value, 0) <= int(bound(high, values), 0)
        for low, high, condition in symbol.ranges
        if holds(condition, values)
    )


def bound(word, values):
    return values.get(word, word) or "0"


def holds(condition, values):
    return condition is None or truth(condition, values) == "y"


def truth(tree, values):
    kind = tree[0]
    if kind == "or":
        result = truth(tree[1], values) == "y" or truth(tree[2], values) == "y"
    elif kind == "and":
        result = truth(tree[1], values) == "y" and truth(tree[2], values) == "y"
    elif kind == "not":
        result = truth(tree[1], values) != "y"
    elif kind in ("=", "!="):
        result = (text_of(tree[1], values) == text_of(tree[2], values)) == (kind == "=")
    else:
        result = text_of(tree, values) == "y"
    return "y" if result else "n"


def text_of(tree, values):
    if tree[0] == "value":
        return tree[1]
    if tree[0] == "symbol":
        return values.get(tree[1], "n")
    return truth(tree, values)


def read_values(path):
    """The values of a fragment or a .config, later lines winning and keeping their later place."""
    values = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            unset = re.fullmatch(r"# CONFIG_(\w+) is not set\n?", line)
            assigned = re.fullmatch(r"CONFIG_(\w+)=(.*?)\n?", line)
            if unset:
                values.pop(unset[1], None)
                values[unset[1]] = "n"
            elif assigned:
                values.pop(assigned[1], None)
                quoted = re.fullmatch(r'"(.*)"', assigned[2])
                values[assigned[1]] = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else assigned[2]
    return values


def config_text(symbols, values):
    lines = ["#", "# Automatically generated file; DO NOT EDIT.", "#"]
    for name, symbol in symbols.items():
        if symbol.type == "bool":
            if values[name] == "y":
                lines.append(f"CONFIG_{name}=y")
            elif available(symbol, values):
                lines.append(f"# CONFIG_{name} is not set")
        elif available(symbol, values):
            lines.append(f"CONFIG_{name}={literal(symbol, values[name])}")
    return "\n".join(lines) + "\n"


def header_text(symbols, values):
    lines = []
    for name, symbol in symbols.items():
        if symbol.type == "bool":
            if values[name] == "y":
                lines.append(f"#define CONFIG_{name} 1")
        elif available(symbol, values):
            lines.append(f"#define CONFIG_{name} {literal(symbol, values[name])}")
    return "\n".join(lines) + "\n"


def literal(symbol, value):
    if symbol.type != "string":
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


if __name__ == "__main__":
    main(sys.argv[1:])
