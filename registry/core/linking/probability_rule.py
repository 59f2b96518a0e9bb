"""The constants by which two sets of clips are judged one voice or two; one setting for every station."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ProbabilityRule:
    """What linking by probability assumes before, and how fast it learns from, the voices of a registry.

    The user's one knob is `false_merge_rate`; the rest was set once on the development sets (signed CAM++ embeddings),
    clean and by telephone. Those that `ModelConstants` names can be measured for another model.
    """

    false_merge_rate: float = 0.02  # the knob: accepted share of joins that put two voices together
    calibrated_rate: float = 0.02  # of which joining begins at a probability of one half

    stranger: float = 0.15  # cosine of two strangers before any is known: middle of the sets (0.09 to 0.23)
    stranger_by_telephone: float = 0.50  # the same where all are heard by telephone (0.45 to 0.51)
    stranger_sets: float = 3.0  # sets of the other gender that weigh as much as that
    other_gender_factor: float = 1.30  # from the cosine of both genders to that of strangers of one: the line through
    other_gender_offset: float = 0.02  # eighteen sets and sounds, root mean square error 0.02
    other_gender_spread: float = 0.083  # deviation of both genders' cosines: 0.075 to 0.095 on all sounds
    nearest_share: float = 0.12  # of the strangers, from whom the level of a set's own sound is told
    stranger_variance: float = 0.015  # of the cosines of two clips of strangers, were these 0 on average
    spread_loss: float = 0.64  # their deviation falls by so much towards a level of 1: 0.12 on audiobooks, 0.09 by GSM
    spread_exponent: float = 0.75  # by which that falls with the squared length of a mean above the strangers' level
    most_strangers: int = 512  # sets of the other gender that are looked at: enough for a level, and cost stays flat

    channel_voices: float = 0.66  # voices that weigh as much as knowing nothing of the channel
    clips_a_voice: float = 3.1  # a voice speaks about so often; a single clip weighs as one of so many

    base_noise: float = 0.25  # noise-to-voice power of a very long clip, unlearned: middle of the sets (0.08 to 0.8)
    base_noise_clips: float = 1.0  # clips that weigh as much as that: sets differ tenfold, so learn fast
    short_s: float = 6.0  # a clip so short has twice the noise of a very long one: fits all sets within 40 %
    cohesion: float = 0.60  # trust in a set's own cosine, for each clip after the first
    cohesion_clips: float = 3.0  # and no more after so many: a wrongly joined set must not lower its own bar
    least_share: float = 0.05  # squared share of voice, of a set that is less alike to itself than strangers are
    least_length: float = 0.01  # squared length above the strangers' level, of the same

    level_error: float = 0.06  # of that variance, that of told levels around the true: large sets are no surer
    voice_variance: float = 4.0  # of one voice's cosines, in strangers', times what is unlike in them to the power 1.5
    voice_drift: float = 0.08  # of the way: deviation of one voice's cosines from night to night, however many clips
    least_voice_variance: float = 0.15  # in strangers'; and 1 at the most
    line_loss: float = 0.30  # of the way to one voice is lost between a studio and a telephone
    prior_odds: float = -1.25  # log odds against one voice, of one voice alone
    voices_odds: float = 1.15  # and for each e-fold of the voices: look-alikes grow with them
    least_voices: float = 3.0  # of which a registry may be made
    rounds: int = 3  # in which clips are joined anew by what the round before has taught of noise and of voices

    reach: float = 0.10  # cosine; joins raise a margin by less, so speakers further below the bar need no look
    settled_speakers: int = 2000  # up to so many are all compared again after a night: what is known of a young
    # registry's population still moves, and 4 million pairs take a second; of more, those heard tonight
    review_probability: float = 0.2  # from which a person is asked: below, four in five would be asked in vain
    parting_probability: float = 0.1  # of one voice, below which two parts of a speaker are parted: 9 of 10 were two

    growth_clips: int = 10  # taken in at once, from which a speaker's growth must be of one voice by another test too
    least_alikeness: float = 0.40  # of that growth: below, it was of five voices or more, or acted over a telephone
    least_alikeness_alone: float = 0.64  # while nobody of the other gender is known; below, it may be acted too

    builder_s: float = 1.0  # a shorter clip builds a profile only where there is no other: it is mostly noise
    builder_probability: float = 0.25  # of a clip and the rest of its speaker, below which it builds no profile
