"""Is there a GPU that torch can use? Asked without importing torch where there is none."""

from pathlib import Path

DEVICES = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))  # of NVIDIA's driver, AMD's, and of WSL


def has_gpu() -> bool:
    """Tell whether torch sees a GPU."""
    if not any(device.exists() for device in DEVICES):
        return False
    import torch

    return torch.cuda.is_available()
