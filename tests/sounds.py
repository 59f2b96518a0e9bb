"""Made-up facts about recordings that nobody reads."""

from registry.core.records import Sound


def sound(audio_hash: str, duration_s: float, *, narrowness: float = 0.0) -> Sound:
    """Give what would be known of a studio recording at 16 kHz."""
    return Sound(audio_hash, duration_s, sample_rate_hz=16_000, channels=1, narrowness=narrowness)
