"""The documents of the repository, and what they say: commands, options, paths and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile, takewhile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("README.md", ".github/*.md", "cli/*.md", "registry/**/*.md", "tests/**/*.md")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INSIDE = re.compile(r"\$\((registry [^)]*)\)")
INSTALLED = re.compile(r"\.venv/bin/(registry .*)$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """A page in Markdown."""

    path: Path

    @property
    def name(self) -> str:
        """Name the page by its place in the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """Read the whole page."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """Leave the fenced blocks out."""
        return FENCED.sub("", self.text)

    def blocks(self, language: str) -> list[str]:
        """List the fenced blocks of a language."""
        return [block for found, block in FENCED.findall(self.text) if found == language]

    def shell_lines(self) -> list[list[str]]:
        """List the commands of the blocks for the shell, each as its words, without comments and assignments."""
        lines = [line for block in self.blocks("sh") for line in block.splitlines()]
        parts = [part for line in lines for part in _commands_of(line)]
        return [words for part in parts if (words := _without_assignments(part))]

    def embedded_lines(self) -> list[list[str]]:
        """List the calls of `registry` that stand inside another command, or in a file for cron or systemd."""
        inside = [call for block in self.blocks("sh") for call in INSIDE.findall(block)]
        unattended = [call for kind in ("", "ini") for block in self.blocks(kind) for call in INSTALLED.findall(block)]
        return [shlex.split(call) for call in inside + unattended]

    def spans(self) -> list[str]:
        """List what stands between backticks in the prose, each on one line."""
        return [" ".join(span.split()) for span in CODE.findall(self.prose)]

    def links(self) -> list[str]:
        """List where the links of the prose lead, pictures too."""
        return LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """List the anchors that GitHub gives to the headings."""
        headings = HEADING.findall(self.prose)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _commands_of(line: str) -> Iterator[list[str]]:
    """Part a line into the commands that `&&` joins."""
    words = iter(shlex.split(line, comments=True))
    while command := list(takewhile(lambda word: word != "&&", words)):
        yield command


def _without_assignments(words: list[str]) -> list[str]:
    return list(dropwhile(lambda word: re.match(r"\w+=", word), words))


DOCUMENTS = [Document(path) for place in PLACES for path in sorted(ROOT.glob(place))]
ALL_TEXT = "\n".join(document.text for document in DOCUMENTS)
