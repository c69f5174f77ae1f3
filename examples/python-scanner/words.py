"""A scanner that redacts words which must not leave the house."""

import json
import re

import relay_scanner
from mcprelay.scanner.v1 import scanner_pb2 as pb

SCHEMA = """{
  "type": "object",
  "properties": {"words": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}},
  "required": ["words"],
  "additionalProperties": false
}"""


class Words:
    def __init__(self):
        self.words = ()  # replaced as a whole, while scans run

    def describe(self):
        return pb.DescribeResponse(
            name="words-python",
            version="1.0.0",
            config_schema=SCHEMA,
            configurable=True,
            deterministic=True,
            max_concurrent=16,
        )

    def configure(self, config):
        """Returns all that is wrong, as (pointer, message). Then nothing changes."""
        problems = [("/" + escape(name), "there is no such setting") for name in config if name != "words"]
        words = config.get("words")
        if not isinstance(words, list) or not words:
            problems.append(("/words", "list at least one word"))
            words = []
        for i, word in enumerate(words):
            if not isinstance(word, str) or not word or not valid(word):
                problems.append((f"/words/{i}", "write a word of at least one letter"))
        if not problems:
            self.words = tuple(word.encode() for word in words)
        return problems

    def scan(self, content, active):
        """Judges one content. active() tells whether anybody still waits."""
        words = self.words
        if content.kind == pb.KIND_BLOB:
            if any(word in content.data for word in words):
                return block("blob")
            unseen = pb.Uninspected(reason="media type")  # we cannot see into pictures
            return pb.Verdict(action=pb.ACTION_ALLOW, uninspected=[unseen])
        found = []
        for pointer, text, is_name in strings(content):
            if not active():
                raise relay_scanner.ScanFailed(pb.REASON_TIMEOUT, "nobody waits any more")
            for start, end in ranges(text, words):
                if is_name or len(found) == 1000:  # names cannot be redacted, and a verdict holds 1000 findings
                    return block("name" if is_name else "many")
                location = pb.Location(pointer=pointer, start=start, end=end)
                found.append(finding("value", location=location, edit=pb.Edit()))
        if not found:
            return pb.Verdict(action=pb.ACTION_ALLOW)
        return pb.Verdict(action=pb.ACTION_REDACT, findings=found)


def strings(content):
    """Yields (pointer, bytes, whether it is the name of a member) of each string."""
    if content.kind == pb.KIND_TEXT:
        yield "", content.data, False
        return
    # Numbers are not looked at: 1e400 and a number of 10000 digits are valid JSON.
    stack = [("", json.loads(content.data, parse_int=lambda _: 0, parse_float=lambda _: 0))]
    while stack:  # no recursion: JSON may be 512 levels deep
        pointer, value = stack.pop()
        if isinstance(value, str):
            yield pointer, encode(value), False
        elif isinstance(value, list):
            stack.extend((f"{pointer}/{i}", item) for i, item in enumerate(value))
        elif isinstance(value, dict):
            for name, item in value.items():
                yield pointer, encode(name), True
                stack.append((f"{pointer}/{escape(name)}", item))


def ranges(text, words):
    """Yields the bytes from and to which each word stands."""
    for word in words:
        start = text.find(word)
        while start >= 0:
            yield start, start + len(word)
            start = text.find(word, start + len(word))


SURROGATE = re.compile("[\ud800-\udfff]")


def encode(text):
    """UTF-8, in which offsets count. A lone surrogate counts as U+FFFD."""
    return SURROGATE.sub("\ufffd", text).encode()


def escape(name):
    """Makes a name part of a JSON Pointer."""
    return SURROGATE.sub("\ufffd", name).replace("~", "~0").replace("/", "~1")


def valid(text):
    return not SURROGATE.search(text)


def finding(rule, **more):
    """Never repeats what was found."""
    return pb.Finding(rule="words/" + rule, category="secret.word", severity=pb.SEVERITY_HIGH, **more)


def block(rule):
    return pb.Verdict(action=pb.ACTION_BLOCK, findings=[finding(rule)])


if __name__ == "__main__":
    relay_scanner.serve(Words())
