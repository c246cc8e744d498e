"""Writes a package of the RPC layer alone, which builds in a fraction of the whole one's time.

Usage: rpc_layer.py [--visible-locks] FOLDER [EXTRA]

FOLDER gets a Package.swift with the tests of HTTP2, TLS and RPC and the targets that they need, as
the repository's own Package.swift names them, and links to the sources. EXTRA is Swift text: more
entries for the list of targets.

With --visible-locks, FOLDER gets copies of the sources whose Mutex is made of pthread's: the thread
sanitizer does not see that the one of Swift's Synchronization, which waits on a futex, orders
anything, and would report every access that it guards. Their continuations are checked ones: those
without checks read the waiting task's memory in code that the sanitizer sees, before the runtime,
which it does not see, lets the task go on.
"""

import os
import re
import shutil
import sys

ROOTS = ["HTTP2Tests", "TLSTests", "RPCTests"]
# How an entry of the list of targets begins: the name of the helper that makes it.
HELPER = r"\.?[a-zA-Z]+"


VISIBLE = """
@_exported public import Synchronization
public import Glibc

/// Synchronization's Mutex with a lock that the thread sanitizer knows.
public struct Mutex<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t> = .allocate(capacity: 1)
    private let value: UnsafeMutablePointer<Value> = .allocate(capacity: 1)

    public init(_ value: consuming sending Value) {
        pthread_mutex_init(lock, nil)
        self.value.initialize(to: value)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(lock)
        lock.deallocate()
    }

    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body(&value.pointee)
    }
}
"""
VISIBLE_TARGET = """    .target(
        name: "VisibleLocks",
        swiftSettings: [
            .swiftLanguageMode(.v5), .enableUpcomingFeature("InternalImportsByDefault"),
        ]),"""


def entries(body):
    """The targets by name: the text of each, and the names of those that it needs."""
    found = {}
    for text in re.split(rf"\n(?=    {HELPER}\()", "\n" + body):
        text = re.sub(r"\s*//.*", "", text).strip().rstrip(",")
        kind = re.match(HELPER, text)
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


def write(path, text):
    """Leaves a file alone that holds the text already, so that nothing is built again."""
    if os.path.exists(path):
        with open(path) as file:
            if file.read() == text:
                return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def copy(root, folder):
    """Copies the sources, with other locks and continuations."""
    for top in ("Sources", "Tests"):
        for place, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                path = os.path.join(place, name)
                target = os.path.join(folder, os.path.relpath(path, root))
                if name.endswith(".swift"):
                    with open(path) as file:
                        text = re.sub(r"import Synchronization\b", "import VisibleLocks", file.read())
                    if "UnsafeContinuation" in text:
                        text = text.replace("UnsafeContinuation", "CheckedContinuation")
                        text = text.replace("unsafe ", "")
                    write(target, text)
                elif not os.path.exists(target):
                    os.makedirs(os.path.dirname(target), exist_ok=True)
                    shutil.copy(path, target)
    write(os.path.join(folder, "Sources/VisibleLocks/Mutex.swift"), VISIBLE)


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    arguments = [argument for argument in sys.argv[1:] if argument != "--visible-locks"]
    folder, extra = arguments[0], "".join(arguments[1:])
    is_visible = "--visible-locks" in sys.argv
    os.makedirs(folder, exist_ok=True)
    # A copy, since building the layer alone leaves other packages out of it.
    resolved = os.path.join(folder, "Package.resolved")
    if os.path.islink(resolved):
        os.unlink(resolved)
    chosen = os.path.join(root, "Package.resolved")
    if os.path.exists(chosen) and not os.path.exists(resolved):
        shutil.copy(chosen, resolved)
    links = ["proto"] + ([] if is_visible else ["Sources", "Tests"])
    for name in links:
        link = os.path.join(folder, name)
        if os.path.exists(os.path.join(root, name)) and not os.path.lexists(link):
            os.symlink(os.path.join(root, name), link)
    with open(os.path.join(root, "Package.swift")) as file:
        text = trimmed(file.read(), extra)
    if is_visible:
        copy(root, folder)
        text = text.replace("let targets: [Target] = [\n",
                            "let targets: [Target] = [\n" + VISIBLE_TARGET + "\n", 1)
        text = text.replace("dependencies: dependencies", 'dependencies: dependencies + ["VisibleLocks"]')
        text = text.replace('["TestKit"] + dependencies', '["TestKit", "VisibleLocks"] + dependencies')
    write(os.path.join(folder, "Package.swift"), text)


main()
