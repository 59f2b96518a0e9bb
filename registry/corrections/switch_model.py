"""Let another embedding model decide who is who, after a look at how far it agrees; every number is kept."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from registry import settings
from registry.core.linking.agreement import agreement
from registry.corrections.change import Change, Outcome, change_finding
from registry.database.store import addresses, calibrations, comparison, embeddings, models, profiles
from registry.database.store.models import Foundation, KnownModel
from registry.database.store.operations import Author
from registry.database.store.strangers import strangers
from registry.errors import CorrectionRefused
from registry.input.model_names import recorded_name
from registry.input.trust import name_model

WORST = 10  # speakers listed


@dataclass(frozen=True)
class GenderAgreement:
    """What the new model makes of the clips of a gender."""

    gender: str
    clips: int  # those compared
    stay: int  # of these, those that it would give to their own speaker, too
    alone: int  # not compared: their speaker has no other recording

    @property
    def share(self) -> float | None:
        """Give the share of clips that stay; none where none was compared."""
        return self.stay / self.clips if self.clips else None


@dataclass(frozen=True)
class SpeakerAgreement:
    """What the new model makes of the clips of a speaker."""

    label: str
    clips: int
    stay: int

    @property
    def share(self) -> float:
        """Give the share of clips that stay."""
        return self.stay / self.clips


@dataclass(frozen=True)
class SwitchReport:
    """How far the new model agrees with who is who."""

    genders: tuple[GenderAgreement, ...]
    worst: tuple[SpeakerAgreement, ...]  # speakers that it would take clips from, the least share first


@dataclass(frozen=True)
class Switched:
    """The model that decides now, or would, and how far it agrees."""

    model: str
    report: SwitchReport
    outcome: Outcome


def switch_model(engine: Engine, model: str, author: Author, *, plan_only: bool = False) -> Switched:
    """Let a model that is kept beside the deciding one decide; numbers, names, verdicts and assignments stay.

    Args:
        engine: The registry's database.
        model: Its name. Of several of one name, the newest that is kept beside or decides.
        author: Who runs this, for the journal.
        plan_only: Only tell how far it agrees.

    Raises:
        CorrectionRefused: It decides already, or has not embedded every clip, or the registry is empty.
    """
    name_model(recorded_name(model))

    def act(under_way: Change) -> tuple[Mapping[str, object], SwitchReport]:
        connection = under_way.connection
        deciding = models.foundation(connection)
        if deciding is None:
            raise CorrectionRefused(cause="the registry is empty; its first ingest takes --model")
        chosen = _find(connection, recorded_name(model))
        profiles.complete(connection, chosen.model_id)  # a killed reembed may have left some out
        report = _compare(connection, deciding, chosen)
        models.decide_by(connection, chosen.model_id, under_way.operation_id)
        compared, stay = (sum(getattr(one, count) for one in report.genders) for count in ("clips", "stay"))
        summary = {"from": deciding.name, "to": chosen.name, "clips_compared": compared, "clips_that_stay": stay}
        return summary, report

    outcome, report = change_finding(engine, author, "switch-model", act, plan_only)
    return Switched(str(outcome.summary["to"]), report, outcome)


def _find(connection: Connection, name: str) -> KnownModel:
    """Find a model that may decide.

    Raises:
        CorrectionRefused: It may not.
    """
    command = shlex.join(["registry", "reembed", "--model", name])
    found = models.find(connection, name)
    if found is None or found.role is None:
        raise CorrectionRefused(cause=f"{name} is not kept beside the model that decides; {command} first")
    if found.role == "deciding":
        raise CorrectionRefused(cause=f"{name} ({found.fingerprint[:12]}) decides already")
    if count := embeddings.clips_without(connection, found.model_id):
        raise CorrectionRefused(cause=f"{count} clips have no embedding under {name}; {command} again")
    return found


def _compare(connection: Connection, deciding: Foundation, chosen: KnownModel) -> SwitchReport:
    rule = settings.linking_rule(deciding.false_merge_rate, calibrations.standing(connection, chosen.model_id))
    clips: dict[str, list[int]] = {}
    speakers: dict[int, list[int]] = {}
    for scope in comparison.scopes(connection, deciding.scope):
        speaker_ids, voices = comparison.voices(connection, chosen, scope)
        others = strangers(connection, chosen, scope.gender, rule.most_strangers)
        found = agreement(voices, others, comparison.members(connection, chosen, scope, speaker_ids), rule)
        counts = list(zip(found.clips.tolist(), found.stay.tolist(), found.alone.tolist(), strict=True))
        clips[scope.gender] = _sum([clips.get(scope.gender, [0, 0, 0]), *counts])
        for speaker_id, count in zip(speaker_ids, counts, strict=True):
            speakers[speaker_id] = _sum([speakers.get(speaker_id, [0, 0, 0]), count])
    genders = tuple(GenderAgreement(gender, *counted) for gender, counted in clips.items())
    return SwitchReport(genders, _worst(connection, speakers))


def _sum(counts: Iterable[Iterable[int]]) -> list[int]:
    return [sum(column) for column in zip(*counts, strict=True)]


def _worst(connection: Connection, counts: Mapping[int, list[int]]) -> tuple[SpeakerAgreement, ...]:
    """List the speakers of which the least share of clips stay; of equal shares those with more clips first."""
    doubted = [(stay / clips, -clips, speaker_id) for speaker_id, (clips, stay, _) in counts.items() if stay < clips]
    keys = [speaker_id for _, _, speaker_id in sorted(doubted)[:WORST]]
    labels = {speaker.speaker_id: speaker.label for speaker in addresses.describe(connection, sorted(keys))}
    return tuple(SpeakerAgreement(labels[key], *counts[key][:2]) for key in keys)
