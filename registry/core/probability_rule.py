"""The constants by which two sets of clips are judged one voice or two; one setting for every station."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbabilityRule:
    """What linking by probability assumes before, and how fast it learns from, the voices of a registry.

    The user's one knob is `false_merge_rate`; the rest was set once on the development sets (signed CAM++ embeddings).
    """

    false_merge_rate: float = 0.02  # the knob: accepted share of joins that put two voices together
    calibrated_rate: float = 0.02  # of which joining begins at a probability of one half: so many of all joins were
    # false then, 1.5 % on the pooled sets, 2.7 % in noise, most of all joins being easy
    odds_scale: float = 0.036  # cosine that multiplies the odds by e: strangers' variance 0.12**2 over the 0.4 between

    stranger: float = 0.15  # cosine of two strangers before any is known: middle of the sets (0.09 to 0.23)
    stranger_speakers: float = 3.0  # speakers that weigh as much as that: trusted until a handful is stored
    stranger_quantile: float = 0.45  # of the stored speakers' cosines; under a half, for some are stored twice
    local_quantile: float = 0.6  # of a set's cosines with the cohort: of two sounds in a registry the set's own counts
    stranger_width: float = 0.15  # cosine above that up to which one is a stranger: their deviation is 0.12
    other_sound_width: float = 0.25  # cosine below that from which one is a stranger of another sound: 0.2 apart
    cohort_speakers: int = 2000  # stored speakers that stand for all strangers at the most: cost stays flat
    night_quantile: float = 0.25  # of tonight's cosines: three quarters may be of one voice and it still holds
    night_clips: float = 6.0  # clips of tonight that weigh as one speaker: a voice speaks about that often
    night_most: float = 5.0  # speakers' weight of a night at the most: a strange one cannot move an old registry
    night_cap: float = 0.30  # cosine; a night of one voice must not take itself for strangers

    base_noise: float = 0.23  # noise-to-voice power of a very long clip, unlearned: middle of the sets (0.08 to 0.8)
    base_noise_clips: float = 3.0  # clips that weigh as much as that: sets differ tenfold, so learn fast
    short_s: float = 6.0  # a clip so short has twice the noise of a very long one: fits all sets within 40 %
    cohesion: float = 0.30  # trust in a set's own cosine, for each clip after the first
    cohesion_clips: float = 3.0  # and no more after so many: a wrongly joined set must not lower its own bar

    midway: float = 0.63  # from strangers (0) to one voice (1); above a half: the best of many strangers is compared
    scarcity: float = 0.06  # cosine that two single clips need above large sets: half of the strangers' deviation
    gallery: float = 0.02  # cosine per doubling of the voices: how the largest of many strangers' cosines grows
    gallery_voices: float = 20.0  # at which that neither raises nor lowers the bar
    gallery_least: float = 5.0  # voices below which it is lowered no further
    slack: float = 0.02  # cosine; with it B-cubed F1 is best on the sets, pooled and apart, clean and noisy

    reach: float = 0.10  # cosine; joins raise a margin by less, so speakers further below the bar need no look
    settled_speakers: int = 2000  # up to so many are all compared again after a night: what is known of a young
    # registry's population still moves, and 4 million pairs take a second; of more, those heard tonight
    review_probability: float = 0.2  # from which a person is asked: below, four in five would be asked in vain
    parting_probability: float = 0.1  # of one voice, below which two parts of a speaker are parted: 9 of 10 were two

    builder_s: float = 1.0  # a shorter clip builds a profile only where there is no other: it is mostly noise
    builder_probability: float = 0.25  # of a clip and the rest of its speaker, below which it builds no profile
