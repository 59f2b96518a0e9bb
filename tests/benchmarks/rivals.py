"""The rules that others publish for telling speakers, each as a function from a gender's clips to their speakers.

All take unit vectors (n, dim) in the order heard, the night of each (n,), rising, and a cut, and give labels (n,).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.neighbors import NearestNeighbors

from registry.core.records import Floats, Integers
from registry.core.vectors import unit

Rule = Callable[[Floats, Integers, float], Integers]
SEED = 1  # of the rules that draw at random
DIMENSIONS = 32  # to which UMAP flattens; it needs a few more clips than that


@dataclass(frozen=True)
class Rival:
    """A rule with the one setting that it has for all sets."""

    name: str
    rule: Rule
    cut: float | None = None  # cosine, as published, for clipped vectors; None where the rule has none
    needs: Sequence[str] = ()  # packages of the extra "bench"

    @property
    def missing(self) -> list[str]:
        """List the packages that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]


def clipped(vectors: Floats) -> Floats:
    """Set negative numbers to zero, as the ReLU does that ends the CAM++ others use; their cuts were set on these."""
    return np.maximum(vectors, 0)


def fixed_gate(units: Floats, _night: Integers, cut: float) -> Integers:
    """Join each clip, as it comes, to the speaker with the nearest running centroid within the gate.

    Source: the online rule of diart (OnlineSpeakerClustering) and of OpenTranscribe's live mode, whose gate is 0.75.
    """
    sums = np.empty_like(units)
    centroids = np.empty_like(units)
    labels = np.empty(len(units), dtype=np.int64)
    found = 0
    for clip, vector in enumerate(units):
        cosines = centroids[:found] @ vector
        speaker = int(cosines.argmax()) if found and cosines.max() >= cut else found
        if speaker == found:
            sums[speaker] = 0
            found += 1
        sums[speaker] += vector
        centroids[speaker] = sums[speaker] / np.linalg.norm(sums[speaker])
        labels[clip] = speaker
    return labels


def average_linkage(units: Floats, _night: Integers, cut: float) -> Integers:
    """Cluster all clips of all nights at once: average linkage, cut at a mean cosine.

    Source: the agglomerative clustering of 3D-Speaker and Senko.
    """
    if len(units) < 2:
        return np.zeros(len(units), dtype=np.int64)
    tree = linkage(units, method="average", metric="cosine")
    return fcluster(tree, t=1 - cut, criterion="distance").astype(np.int64)


def centred_linkage(units: Floats, night: Integers, cut: float) -> Integers:
    """Cluster all clips at once as before, the mean of all taken off first.

    Source: centring on the population before scoring, as the back ends of Kaldi and WeSpeaker do.
    """
    return average_linkage(unit(units - units.mean(axis=0)), night, cut) if len(units) > 1 else night * 0


def nightly_linkage(units: Floats, night: Integers, cut: float) -> Integers:
    """Cluster each night by average linkage; a cluster is the stored speaker of the nearest centroid within the cut.

    Source: cluster, then link, of cross-show diarization (Yang, Jin and Schultz, Interspeech 2011), with one cosine.
    """
    labels = np.full(len(units), -1)
    for one in np.unique(night):
        tonight = np.flatnonzero(night == one)
        stored = _centroids(units, labels)
        cluster = average_linkage(units[tonight], night[tonight], cut)
        fresh = len(stored)
        for members in (tonight[cluster == label] for label in np.unique(cluster)):
            cosines = stored @ unit(units[members].mean(axis=0, keepdims=True))[0]
            if len(stored) and cosines.max() >= cut:
                labels[members] = cosines.argmax()
            else:
                labels[members] = fresh
                fresh += 1
    return labels


def _centroids(units: Floats, labels: Integers) -> Floats:
    """Give the unit centroids of labels that count from 0 without gaps; -1 is no label."""
    count = int(labels.max(initial=-1)) + 1
    sums = np.zeros((count, units.shape[1]), dtype=np.float32)
    np.add.at(sums, labels[labels >= 0], units[labels >= 0])
    return unit(sums)


def immich(units: Floats, night: Integers, cut: float, least: int = 3) -> Integers:
    """Join clips to the person of the nearest clip within reach; only a clip with enough others around makes a person.

    Every night the unassigned clips of all nights are tried: those with `least` clips in reach, themselves included,
    in order, and then the rest, which only join. A clip that stays unassigned is its own speaker.

    Source: handleRecognizeFaces in server/src/services/person.service.ts of Immich, for faces; its defaults are a
    distance of 0.5 and three faces.
    """
    person = np.full(len(units), -1)
    cosines = units @ units.T
    for one in np.unique(night):
        here = night <= one
        around = (cosines[:, here] >= cut).sum(axis=1)
        waiting = np.flatnonzero(here & (person < 0))
        is_core = around[waiting] >= least
        for clip in (*waiting[is_core], *waiting[~is_core & (around[waiting] > 1)]):
            near = np.flatnonzero((person >= 0) & (cosines[clip] >= cut))
            if len(near):
                person[clip] = person[near[cosines[clip, near].argmax()]]
            elif around[clip] >= least:
                person[clip] = person.max() + 1
    return _alone(person)


def umap_hdbscan(units: Floats, _night: Integers, _cut: float) -> Integers:
    """Cluster all clips at once by density, in fewer dimensions; clips that fit nowhere are their own speakers.

    Source: wespeaker/diar/umap_clusterer.py of WeSpeaker, with min_cluster_size 5 and min_samples 5.
    """
    import hdbscan
    import umap

    if len(units) < DIMENSIONS + 2:
        return np.arange(len(units))
    flat = umap.UMAP(16, DIMENSIONS, metric="cosine", min_dist=0.05, random_state=SEED, n_jobs=1).fit_transform(units)
    density = hdbscan.HDBSCAN(min_cluster_size=5, min_samples=5, approx_min_span_tree=False, core_dist_n_jobs=1)
    return _alone(density.fit_predict(flat))


def leiden(units: Floats, _night: Integers, _cut: float) -> Integers:
    """Part the graph of each clip's 15 nearest into communities of the greatest modularity, all clips at once.

    Source: Traag, Waltman and van Eck, "From Louvain to Leiden", Scientific Reports 9, 2019; package leidenalg.
    """
    import igraph
    import leidenalg

    near = NearestNeighbors(n_neighbors=min(15, len(units) - 1), metric="cosine").fit(units).kneighbors_graph()
    edges = np.unique(np.sort(np.transpose(near.nonzero()), axis=1), axis=0)
    graph = igraph.Graph(n=len(units), edges=edges.tolist())
    return np.array(leidenalg.find_partition(graph, leidenalg.ModularityVertexPartition, seed=SEED).membership)


def _alone(labels: Integers) -> Integers:
    """Make every clip without a label, -1, its own speaker."""
    lonely = labels < 0
    return np.where(lonely, labels.max(initial=-1) + np.cumsum(lonely), labels)


RIVALS = (
    Rival("fixed gate, running centroids", fixed_gate, 0.70),
    Rival("Immich-style, 3 near", immich, 0.50),
    Rival("nightly average linkage, nearest centroid", nightly_linkage, 0.56),
    Rival("full average linkage", average_linkage, 0.56),
    Rival("full average linkage, centred", centred_linkage, 0.24),
    Rival("full UMAP + HDBSCAN", umap_hdbscan, None, ("umap", "hdbscan")),
    Rival("full Leiden, 15 nearest", leiden, None, ("leidenalg", "igraph")),
)
