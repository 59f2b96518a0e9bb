"""The constants by which two sets of clips are judged to be one voice or two: the same for every station."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbabilityRule:
    """What the rule assumes of voices before it knows a registry, and how fast it learns from a registry.

    `false_merge_rate` is the user's one knob. All other constants were set once, on the development sets (signed CAM++
    embeddings), clean and by telephone. The constants that `ModelConstants` names can be measured for another model.

    The docstring of `registry.core.linking` explains the words, and the docstring of `likeness` the formulas.
    """

    # The knob.
    # Accepted share of automatic joins that put two voices together.
    false_merge_rate: float = 0.02
    # The rate at which joining begins at a probability of one half.
    calibrated_rate: float = 0.02

    # Strangers: `population`.
    # Level in a studio before any stranger is known: the middle of the development sets, which have 0.09 to 0.23.
    stranger: float = 0.15
    # The same by telephone: the development sets have 0.45 to 0.51.
    stranger_by_telephone: float = 0.50
    # Number of strangers that weigh as much as the two levels above.
    stranger_sets: float = 3.0
    # The straight line from the mean cosine of strangers of different gender to the level: its slope, and its value at
    # 0. It was fitted to eighteen sets and sounds, with a root mean square error of 0.02.
    other_gender_factor: float = 1.30
    other_gender_offset: float = 0.02
    # Standard deviation of a clip's cosines with strangers of the other gender: 0.075 to 0.095 on all sounds.
    other_gender_spread: float = 0.083
    # Share of the strangers, the nearest, that tell the level of a set's own kind of sound.
    nearest_share: float = 0.12
    # Variance of the cosines of two strangers' clips of level 0.
    stranger_variance: float = 0.015
    # How fast the deviation of strangers' cosines falls as the level rises: the deviation is proportional to
    # 1 - spread_loss * level. It is 0.12 on audiobooks and 0.09 by GSM.
    spread_loss: float = 0.64
    # How fast the variance of a set's cosines with strangers falls as the squared length of the set's mean falls: the
    # variance is proportional to the squared length above the level, to the power of this exponent.
    spread_exponent: float = 0.75
    # Most strangers that are compared with: enough to tell a level, and the cost stays flat.
    most_strangers: int = 512

    # The channel: `channel`.
    # Voices that weigh as much as the assumption that narrowness changes nothing.
    channel_voices: float = 0.66
    # Clips that a voice has on average: a single clip weighs as one clip of a voice with this number of clips.
    clips_a_voice: float = 3.1

    # Noise in embeddings: `population` and `likeness`.
    # Noise-to-voice power of a very long clip before it is learned: the middle of the development sets, 0.08 to 0.8.
    base_noise: float = 0.25
    # Clips that weigh as much as the value above: few, because sets differ tenfold and the value must be learned fast.
    base_noise_clips: float = 1.0
    # Duration in seconds of a clip with twice the noise of a very long one: fits all development sets within 40 %.
    short_s: float = 6.0
    # Weight of a set's own mean pairwise cosine in its share of voice, for each clip after the first.
    cohesion: float = 0.60
    # Clips after the first beyond which that weight grows no more: a wrongly joined set must not lower its own bar.
    cohesion_clips: float = 3.0
    # Least squared share of voice, for sets whose clips are less alike than strangers are.
    least_share: float = 0.05
    # Least squared length of a set's mean above the level, for such sets.
    least_length: float = 0.01

    # The bar: `likeness`.
    # Variance of the estimated level around the true level, in units of `stranger_variance`. No set is so large that
    # the variance of strangers' cosines falls below this.
    level_error: float = 0.06
    # Variance of one voice's cosines, in strangers' variances: this constant times u ** 1.5, where u is
    # (1 - level) * (1 - share A * share B).
    voice_variance: float = 4.0
    # Deviation of one voice's cosines from night to night, as a share of the separation, however many the clips are.
    voice_drift: float = 0.08
    # Least variance of one voice's cosines, in strangers' variances. The most is 1.
    least_voice_variance: float = 0.15
    # Share of the separation that is lost between a studio and a telephone.
    line_loss: float = 0.30
    # Log odds against one voice where there is a single voice.
    prior_odds: float = -1.25
    # What these log odds grow by each time the number of voices grows by the factor e: more voices, more look-alikes.
    voices_odds: float = 1.15
    # Least number of voices that a registry is taken to have.
    least_voices: float = 3.0
    # Most rounds of joining: each learns noise and voices from what the round before joined.
    rounds: int = 3

    # Which speakers are compared, joined, split and shown: `ranking`, `decisions`, `consolidation`.
    # Cosine. Joins raise a margin by less than this, so speakers further below the bar need not be looked at.
    reach: float = 0.10
    # Up to this number of speakers, all are compared again after every night: what is known of a young registry's
    # population still changes, and 4 million pairs take a second. Of more speakers, only those in reach of the night's
    # clips are compared.
    settled_speakers: int = 2000
    # P(same voice) of two speakers from which a person is asked: below it, four in five would be asked in vain.
    review_probability: float = 0.2
    # P(same voice) of the two parts of a speaker below which the speaker is split: 9 of 10 such speakers were two.
    parting_probability: float = 0.1

    # The alarm: `black_holes`.
    # Clips of a growth from which the alarm looks at it.
    growth_clips: int = 10
    # Least alikeness of a growth: below it were growths of five voices or more, or of acted speech over a telephone.
    least_alikeness: float = 0.40
    # The same while no clip of the other gender is known: below it may be acted speech too.
    least_alikeness_alone: float = 0.64

    # Profiles: `building`.
    # Seconds. A shorter clip is mostly noise, and builds a profile only where its speaker has no longer clip.
    builder_s: float = 1.0
    # P(same voice) of a clip and the rest of its speaker below which the clip does not build the profile.
    builder_probability: float = 0.25
