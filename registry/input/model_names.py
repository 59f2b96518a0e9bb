"""What embedding models are called: those that come with the packages by a word, others by an id or a file's path."""

import os

DEFAULT_MODEL = "campplus"
BF16_MODEL = "campplus-bf16"
INSIDE = (DEFAULT_MODEL, BF16_MODEL)  # the models that come with the packages


def recorded_name(name: str) -> str:
    """Give the name under which a registry records a model: a file's is its absolute path."""
    path = os.path.expanduser(name)  # noqa: PTH111 - pathlib raises where there is no such user
    if name in INSIDE or not os.path.exists(path):  # noqa: PTH110 - and where nobody may look
        return name
    return os.path.abspath(path)  # noqa: PTH100  resolve() would follow the links of a model cache
