"""The words in which a list of operations says what each operation was about."""

from collections.abc import Mapping

# Key of a summary whose value is a count -> the words after the count 1, and the words after any other count.
COUNTED = {
    "clips": ("clip", "clips"),
    "speakers": ("speaker", "speakers"),
    "confirmed_clips": ("clip", "clips"),
    "speakers_new": ("new speaker", "new speakers"),
    "speakers_matched": ("known speaker", "known speakers"),
    "speakers_joined": ("speaker joined", "speakers joined"),
    "moved": ("clip given to another speaker", "clips given to other speakers"),
    "withdrawn": ("left out", "left out"),
    "replaced": ("replaced", "replaced"),
    "transcripts_replaced": ("new transcript", "new transcripts"),
    "audio_files_replaced": ("new file of the same sound", "new files of the same sound"),
    "joined": ("joined", "joined"),
    "parted": ("parted", "parted"),
    "to_review": ("to review", "to review"),
    "clips_without": ("clip without an embedding", "clips without an embedding"),
}
# Key of a summary -> the words for its value, before the counts.
ABOUT = {
    "group": "{}",
    "instead_of": "instead of {}",
    "merged": "{}",
    "different": "{}",
    "confirmed": "{}",
    "renamed": "{}",
    "split": "{}",
    "retired": "{}",
    "before": "before {}",
    "model": "{}",
    "undone": "operation {}",
}
# Key of a summary -> the words for its value, after the counts.
WHERE = {"to": "to {}", "not": "not {}", "groups": "of {}"}


def in_short(kind: str, summary: Mapping[str, object]) -> str:
    """Say what an operation of a kind was about: "andaiafm_F20201105: 12 clips, 3 new speakers".

    Args:
        kind: The operation's kind, as the table `operation` has it.
        summary: The operation's summary, as the table `operation` has it. Keys that are not listed here are left out.
    """
    if kind == "switch-model":
        return f"from {summary.get('from', '')} to {summary.get('to', '')}"
    about = " ".join(_named(summary, ABOUT))
    counts = ", ".join(_counted(summary))
    told = " ".join(word for word in (counts, *_named(summary, WHERE)) if word)
    return ": ".join(part for part in (about, told) if part)


def _named(summary: Mapping[str, object], forms: Mapping[str, str]) -> list[str]:
    """Put the values of a summary into words, in the order of the forms."""
    return [form.format(_listed(summary[name])) for name, form in forms.items() if summary.get(name)]


def _counted(summary: Mapping[str, object]) -> list[str]:
    """Put the counts of a summary into words. A count of 0 is left out."""
    present = ((summary[name], words) for name, words in COUNTED.items() if summary.get(name))
    return [f"{count} {one if count == 1 else more}" for count, (one, more) in present]


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
