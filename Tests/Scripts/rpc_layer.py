"""Writes a package of the RPC layer alone, which builds in a fraction of the whole one's time.

Usage: rpc_layer.py FOLDER [EXTRA]

FOLDER gets a Package.swift with the tests of HTTP2, TLS and RPC and the targets that they need, as
the repository's own Package.swift names them, and links to the sources. EXTRA is Swift text: more
entries for the list of targets.
"""

import os
import re
import sys

ROOTS = ["HTTP2Tests", "TLSTests", "RPCTests"]
KINDS = r"\.systemLibrary|clang|module|service|command|kit|tests"


def entries(body):
    """The targets by name: the text of each, and the names of those that it needs."""
    found = {}
    for text in re.split(rf"\n(?=    (?:{KINDS})\b)", "\n" + body):
        text = re.sub(r"\s*//.*", "", text).strip().rstrip(",")
        kind = re.match(KINDS, text)
        if not kind:
            continue
        names = re.findall(r'"(\w+)"', text)
        name, needed = names[0], names[1:]
        if kind[0] == "tests":
            needed += ["TestKit"] + ([] if "depends: false" in text else [name])
            name += "Tests"
        found[name] = (text, needed)
    return found


def closure(found, roots):
    kept, waiting = set(), list(roots)
    while waiting:
        name = waiting.pop()
        if name in found and name not in kept:
            kept.add(name)
            waiting += found[name][1]
    return kept


def trimmed(source, extra):
    head, rest = source.split("let targets: [Target] = [", 1)
    body, tail = rest.split("\n]\n", 1)
    found = entries(body)
    kept = closure(found, ROOTS + re.findall(r'"(\w+)"', extra))
    lines = ["    " + found[name][0] + "," for name in found if name in kept] + [extra]
    tail = re.sub(r"let products.*?(?=let package)", "let products: [Product] = []\n\n", tail,
                  flags=re.S)
    # Packages whose products nothing here names need not be fetched.
    helpers = re.findall(r'func (\w+)\([^)]*\) -> Target\.Dependency \{[^}]*package: "([\w.-]+)"',
                         tail)
    used = {package for helper, package in helpers if any(helper + "(" in line for line in lines)}
    tail = "\n".join(
        line for line in tail.split("\n")
        if not line.strip().startswith(".package(")
        or re.search(r"/([\w.-]+?)(?:\.git)?\"", line)[1] in used)
    return head + "let targets: [Target] = [\n" + "\n".join(lines) + "\n]\n" + tail


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    folder, extra = sys.argv[1], "".join(sys.argv[2:])
    os.makedirs(folder, exist_ok=True)
    for name in ("Sources", "Tests", "proto", "Package.resolved"):
        link = os.path.join(folder, name)
        if os.path.exists(os.path.join(root, name)) and not os.path.lexists(link):
            os.symlink(os.path.join(root, name), link)
    with open(os.path.join(root, "Package.swift")) as file:
        text = trimmed(file.read(), extra)
    manifest = os.path.join(folder, "Package.swift")
    if not os.path.exists(manifest) or open(manifest).read() != text:
        with open(manifest, "w") as file:
            file.write(text)


main()
