"""Which operations still count, when some of them take others back."""

from collections.abc import Iterable, Mapping


def undone_by(undos: Mapping[int, int]) -> dict[int, int]:
    """Tell which operations are taken back, and by which undo that is not taken back itself.

    Args:
        undos: Undo -> the operation that it took back.
    """
    found: dict[int, int] = {}
    for undo in sorted(undos, reverse=True):
        if undo not in found:
            found[undos[undo]] = undo
    return found


def still_counting(operations: Iterable[int], after: int, undos: Mapping[int, int]) -> set[int]:
    """Choose the operations after one that make a difference to what came right after it.

    An operation and its undo make none together; an undo of something earlier does.
    """
    gone = undone_by(undos)
    return {
        operation
        for operation in operations
        if operation > after and operation not in gone and undos.get(operation, 0) <= after
    }
