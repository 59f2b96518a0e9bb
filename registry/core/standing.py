"""Which operations stand, and which have been undone, where an undo can itself be undone."""

from collections.abc import Iterable, Mapping


def undone_by(undos: Mapping[int, int]) -> dict[int, int]:
    """Find the operations that are undone.

    An undo that is undone itself does not count.

    Args:
        undos: Undo -> the operation that it undid.

    Returns:
        Operation that is undone -> the undo that undid it.
    """
    found: dict[int, int] = {}
    for undo in sorted(undos, reverse=True):
        if undo not in found:
            found[undos[undo]] = undo
    return found


def still_counting(operations: Iterable[int], after: int, undos: Mapping[int, int]) -> set[int]:
    """Choose the operations since one that make the registry differ from what it was right after that one.

    An operation and its undo make no difference together. An undo of an earlier operation makes a difference.

    Args:
        operations: Keys of operations.
        after: The key of the operation since which they are chosen.
        undos: Undo -> the operation that it undid.
    """
    gone = undone_by(undos)
    return {
        operation
        for operation in operations
        if operation > after and operation not in gone and undos.get(operation, 0) <= after
    }
