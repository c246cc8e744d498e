#!/usr/bin/env python3
"""Reads Hone's golden bytes with nothing but the schema's text.

    python3 proto/golden/read.py

parses ../*.schema, decodes every case of *.json here and compares what it finds with the
values written beside the bytes. It shares no code with Hone and needs Python 3 alone.
"""

import json
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKED = {"u32": "<I", "i32": "<i", "u64": "<Q", "f32": "<f", "f64": "<d"}


def parse(folder):
    """Returns messages {full name: {tag: (name, type)}} and the set of enumerations."""
    messages, enums, sources = {}, set(), []
    for path in sorted(folder.glob("*.schema")):
        package, uses, block = "", [], None
        for line in path.read_text("utf-8").splitlines():
            line = line.strip()
            if not line or line.startswith("///"):
                continue
            if match := re.fullmatch(r"schema (\S+)", line):
                package = match[1]
            elif match := re.fullmatch(r"uses (.+)", line):
                uses = [name.strip() for name in match[1].split(",")]
            elif match := re.fullmatch(r"(message|enum|service) (\S+)( limit \d+ MiB)? {", line):
                block = (match[1], f"{package}.{match[2]}")
                if match[1] == "message":
                    messages[block[1]] = {}
                elif match[1] == "enum":
                    enums.add(block[1])
            elif line == "}":
                block = None
            elif block and block[0] == "message" and not line.startswith("reserved"):
                tag, kind, name = re.fullmatch(r"(\d+): (.+) (\w+)", line).groups()
                sources.append((block[1], int(tag), name, kind, [package] + uses))
    for message, tag, name, kind, packages in sources:
        words = re.split(r"(\W+)", kind)
        for index, word in enumerate(words):
            for package in packages:
                if f"{package}.{word}" in messages or f"{package}.{word}" in enums:
                    words[index] = f"{package}.{word}"
                    break
        messages[message][tag] = (name, "".join(words))
    return messages, enums


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        length, at = varint(data, at)
        if at + length > len(data):
            raise ValueError(f"field {tag} goes past the end")
        yield tag, data[at : at + length]
        at += length


class Reader:
    def __init__(self, messages, enums):
        self.messages = messages
        self.enums = enums

    def message(self, name, data):
        values, last = {}, 0
        for tag, payload in fields(data):
            if tag < last:
                raise ValueError(f"{name}: tag {tag} after {last}")
            last = tag
            if tag not in self.messages[name]:
                continue  # A field that is no longer used.
            field, kind = self.messages[name][tag]
            if kind.startswith("repeated "):
                values.setdefault(field, []).append(self.value(kind[9:], payload))
            elif match := re.fullmatch(r"map<string, (.+)>", kind):
                pair = dict(fields(payload))
                key = pair.get(1, b"").decode("utf-8")
                empty = "" if match[1] == "string" else 0
                value = self.value(match[1], pair[2]) if 2 in pair else empty
                values.setdefault(field, {})[key] = value
            else:
                values[field] = self.value(kind.removeprefix("optional "), payload)
        return values

    def value(self, kind, payload):
        if kind in ("uint", "int", "bool") or kind in self.enums:
            number, end = varint(payload, 0)
            if end != len(payload):
                raise ValueError("bytes after a number")
            if kind == "int":
                return (number >> 1) ^ -(number & 1)
            return bool(number) if kind == "bool" else number
        if kind == "string":
            return payload.decode("utf-8")
        if kind == "bytes":
            return payload.hex()
        if kind in ("f32", "f64"):
            return struct.unpack(PACKED[kind], payload)[0]
        if kind.startswith("packed "):
            return [one for (one,) in struct.iter_unpack(PACKED[kind[7:]], payload)]
        return self.message(kind, payload)


def agrees(found, said, is_old):
    """Whether the values are those beside the bytes; old bytes may hold fields that are gone."""
    if not is_old:
        return found == said
    if isinstance(found, dict):
        return all(key in said and agrees(found[key], said[key], True) for key in found)
    if isinstance(found, list):
        return len(found) == len(said) and all(agrees(*pair, True) for pair in zip(found, said))
    return found == said


def main():
    messages, enums = parse(HERE.parent)
    reader, cases, wrong = Reader(messages, enums), 0, 0
    for name in sorted(messages):
        for case in json.loads((HERE / f"{name}.json").read_text("utf-8")):
            cases += 1
            found = reader.message(name, bytes.fromhex(case["hex"]))
            if not agrees(found, case["fields"], " before " in case["case"]):
                wrong += 1
                print(f"{name} ({case['case']}): {found} is not {case['fields']}")
    print(f"{cases - wrong} of {cases} cases agree")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
