"""What a plan may hold of each command: fields of a few simple kinds, and nothing that is run, loaded or written to."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from registry.input import trust
from registry.input.remote import is_remote

Value: TypeAlias = str | bool | int | float | tuple[str, ...] | None
Check = Callable[[object], Value]

MOST_CHARACTERS = 4096  # of a path, as Linux takes them
MOST_WORKERS = 1024


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MOST_CHARACTERS or "\0" in value:
        raise ValueError("has to be a text, without NUL and not too long")
    value.encode("utf-8", "surrogateescape")  # half a character is refused, the bytes of an odd file name are not
    if is_remote(value):
        trust.insist_on_source(value)
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("has to be a list of texts")
    return tuple(map(_text, value))


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")  # noqa: TRY004 - one kind of error for all that a field may not be
    return value


def _rate(value: object) -> float:
    if type(value) not in (int, float) or not 0 < value <= 0.5:  # type: ignore[operator]  # noqa: PLR2004  as the option
        raise ValueError("has to be a number above 0, at most 0.5")
    return float(value)  # type: ignore[arg-type]


def _workers(value: object) -> int:
    if type(value) is not int or not 0 < value <= MOST_WORKERS:
        raise ValueError(f"has to be a number from 1 to {MOST_WORKERS}")
    return value


def _model(value: object) -> str:
    return trust.insist_on_model(_text(value))


def _one_of(*words: str) -> Check:
    def check(value: object) -> str:
        if value not in words:
            raise ValueError(f"has to be one of {', '.join(words)}")
        return str(value)

    return check


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


# Of each command the fields in the order of its command line, as the journal shows it.
FORMS: Mapping[str, Mapping[str, Check]] = {
    "ingest": {
        "indirs": _texts,
        "strict": _yes_or_no,
        "as_named": _yes_or_no,
        "new": _yes_or_no,
        "model": _or_none(_model),
        "scope": _or_none(_one_of("registry", "broadcaster")),
        "false_merge_rate": _or_none(_rate),
        "runtime": _or_none(_one_of("auto", "torch", "openvino")),
        "workers": _or_none(_workers),
    },
    "merge": {"one": _text, "others": _texts},
    "move": {"clips": _texts, "speaker": _text},
    "split": {"speaker": _text, "clips": _texts},
    "withdraw": {"what": _texts},
}


def check_form(command: str, task: object) -> dict[str, Value]:
    """Read what a command is to do.

    Raises:
        ValueError: There is another field than the command has, or one that is not of its kind.
        SourceUnnamed, ModelUnnamed: It names a URL, or a model, that nobody of this machine named.
    """
    form = FORMS[command]
    if not isinstance(task, dict) or set(task) != set(form):
        raise ValueError(f"the task of {command} has to hold {', '.join(form)}, and nothing else")
    return {name: _field(name, check, task[name]) for name, check in form.items()}


def _field(name: str, check: Check, value: object) -> Value:
    try:
        return check(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
