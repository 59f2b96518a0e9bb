"""A database-backed, incremental registry of the voices heard on the radio."""

import os
import sys

__version__ = "0.1.0"

# Some of the packages that are imported here or there tell their makers of it, unless they are told not to before their
# import. Recordings, and who works with them, are nobody else's business; so it is not left to each user's environment.
os.environ |= {
    "PYANNOTE_METRICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",  # huggingface_hub
}
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # which is how Python notes what is not there
