"""The wave and the field: the model that everything else in DREDGE makes, keeps or reads.

In d coordinates, with u = x − c,

    wave(x) = exp(−½ |L u|^p) · (a cos ψ + b sin ψ),    ψ = k·u + ½ uᵀ B u,    field(x) = bias + Σ waves

c centre (d), L shape (m × d; 1/σ on the diagonal, or a row (1/σ, −v/σ) for an envelope that moves), k wavenumber (d,
radians per unit), B chirp (d × d, symmetric), a and b amplitudes, p edge sharpness (2 is a Gaussian).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dredge.errors import InvalidInput

if TYPE_CHECKING:
    from dredge.waves.events import Event, Order

GAUSSIAN = 2.0
PARAMETERS = ("centre", "shape", "wavenumber", "chirp", "cosine", "sine", "edge", "bias")


@dataclass(frozen=True)
class AxisLabel:
    """What a coordinate is called and measured in, for example time in s."""

    name: str
    unit: str = "1"


@dataclass(frozen=True, eq=False)
class Wave:
    """One localised oscillation: a row of a WaveField, in numpy float64."""

    centre: npt.NDArray[np.float64]  # [d]
    shape: npt.NDArray[np.float64]  # [m, d]
    wavenumber: npt.NDArray[np.float64]  # [d]
    chirp: npt.NDArray[np.float64]  # [d, d]
    cosine: float
    sine: float
    edge: float = GAUSSIAN

    @property
    def amplitude(self) -> float:
        """Peak of the envelope: sqrt(a² + b²)."""
        return float(np.hypot(self.cosine, self.sine))


@dataclass(frozen=True, eq=False)
class WaveField:
    """A sum of n waves in d coordinates plus a constant. Tensors share one dtype and device.

    Immutable; `replace` makes a changed copy. Raises InvalidInput when shapes disagree or a number is not finite.
    """

    centre: Tensor  # [n, d]
    shape: Tensor  # [n, m, d]
    wavenumber: Tensor  # [n, d]
    chirp: Tensor  # [n, d, d]
    cosine: Tensor  # [n]
    sine: Tensor  # [n]
    edge: Tensor  # [n]
    bias: Tensor  # []
    domain: Tensor  # [d, 2], first and last coordinate of the samples it was made from
    axes: tuple[AxisLabel, ...] = (AxisLabel("time", "s"),)
    unit: str = "1"

    kind = "wavefield"

    def __post_init__(self) -> None:
        if self.centre.ndim != 2:
            raise InvalidInput(f"centre has shape {tuple(self.centre.shape)}, expected (waves, coordinates).",
                               field="centre")
        n, d = self.centre.shape
        m = self.shape.shape[1] if self.shape.ndim == 3 else d
        expected = {"centre": (n, d), "shape": (n, m, d), "wavenumber": (n, d), "chirp": (n, d, d), "cosine": (n,),
                    "sine": (n,), "edge": (n,), "bias": (), "domain": (d, 2)}
        for name, shape in expected.items():
            tensor: Tensor = getattr(self, name)
            if tuple(tensor.shape) != shape:
                raise InvalidInput(f"{name} has shape {tuple(tensor.shape)}, expected {shape}.", field=name)
            if not bool(torch.isfinite(tensor).all()):
                raise InvalidInput(f"{name} holds a number that is not finite.", field=name)
        if not bool((self.edge > 0).all()):
            raise InvalidInput("An edge is not positive.", field="edge")
        if len(self.axes) != d:
            raise InvalidInput(f"{len(self.axes)} axis labels for {d} coordinates.", field="axes")

    @classmethod
    def of(cls, waves: Sequence[Wave], *, domain: npt.ArrayLike, bias: float = 0.0,
           axes: tuple[AxisLabel, ...] | None = None, unit: str = "1") -> WaveField:
        """The field of one or more waves, in float64. All have the same d and as many rows in L; domain is [d, 2]."""
        if not waves:
            raise InvalidInput("There are no waves.", field="waves")
        columns: dict[str, Any] = {name: np.stack([np.asarray(getattr(wave, name)) for wave in waves])
                                   for name in PARAMETERS[:-1]}
        tensors: dict[str, Any] = {name: torch.from_numpy(np.array(value, dtype=np.float64))
                                   for name, value in {**columns, "bias": bias, "domain": domain}.items()}
        return cls(**tensors, axes=axes or cls.unnamed_axes(len(waves[0].centre)), unit=unit)

    @classmethod
    def chirplets(
        cls,
        centre: npt.ArrayLike,
        sigma: npt.ArrayLike,
        wavenumber: npt.ArrayLike,
        chirp: npt.ArrayLike,
        cosine: npt.ArrayLike,
        sine: npt.ArrayLike,
        *,
        edge: npt.ArrayLike | None = None,
        bias: float = 0.0,
        domain: tuple[float, float] = (0.0, 1.0),
        axis: AxisLabel = AxisLabel("time", "s"),
        unit: str = "1",
    ) -> WaveField:
        """A one-dimensional field from n numbers of each kind: c, σ, k, β, a, b and, if given, p."""
        c, s, k, beta, a, b = (torch.as_tensor(np.asarray(v, dtype=np.float64)).reshape(-1)
                               for v in (centre, sigma, wavenumber, chirp, cosine, sine))
        p = torch.full_like(c, GAUSSIAN) if edge is None else torch.as_tensor(
            np.asarray(edge, dtype=np.float64)).reshape(-1)
        return cls(c[:, None], (1 / s)[:, None, None], k[:, None], beta[:, None, None], a, b, p,
                   torch.tensor(bias, dtype=torch.float64), torch.tensor([domain], dtype=torch.float64), (axis,), unit)

    @staticmethod
    def unnamed_axes(dimension: int) -> tuple[AxisLabel, ...]:
        """Labels for coordinates that have no names of their own: x1, x2, …"""
        return tuple(AxisLabel(f"x{i + 1}") for i in range(dimension))

    @property
    def dimension(self) -> int:
        """Number of coordinates, d."""
        return self.centre.shape[1]

    def __len__(self) -> int:
        return self.centre.shape[0]

    def __iter__(self) -> Iterator[Wave]:
        for i in range(len(self)):
            yield self[i]

    def __getitem__(self, i: int) -> Wave:
        row: dict[str, Any] = {name: getattr(self, name)[i].detach().cpu().double().numpy() for name in PARAMETERS[:-1]}
        row |= {name: float(v) for name, v in row.items() if v.ndim == 0}
        return Wave(**row)

    def take(self, rows: Sequence[int] | Tensor) -> WaveField:
        """The field of some of the waves, with the same constant."""
        index = torch.as_tensor(rows, dtype=torch.long, device=self.centre.device)
        return replace(self, **{name: getattr(self, name)[index] for name in PARAMETERS[:-1]})

    @property
    def numbers(self) -> int:
        """How many stored numbers the model takes: what is not zero (chirp, off-diagonal shape) or not 2 (edge) by
        construction in every wave is not counted."""
        n, d = self.centre.shape
        per_wave = 2 * d + 2 + max(1, int((self.shape != 0).any(0).sum()))
        upper = torch.triu(torch.ones(d, d, dtype=torch.bool, device=self.chirp.device))
        per_wave += int(((self.chirp != 0).any(0) & upper).sum()) if n else 0
        per_wave += int(bool((self.edge != GAUSSIAN).any())) if n else 0
        return n * per_wave + 1

    def to(self, *, dtype: torch.dtype | None = None, device: torch.device | str | None = None) -> WaveField:
        """The same field with another dtype or on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(dtype=dtype, device=device)
                                for f in fields(self) if isinstance(getattr(self, f.name), Tensor)})

    def __call__(self, points: Any) -> Any:
        """Values at `points` ([N] in one dimension, else [N, d]): numpy in, numpy out; tensor in, tensor out."""
        from dredge.waves.evaluate import evaluate

        return evaluate(self, points)

    def events(self, *, sort: Order = "time", descending: bool = False) -> list[Event]:
        """The waves as rows for people; see `dredge.waves.events.Event`."""
        from dredge.waves.events import events

        return events(self, sort=sort, descending=descending)

    def plot(self, samples: Any = None, **options: Any) -> Any:
        """A matplotlib figure of the field, its waves and, when given, the samples it stands for."""
        from dredge.waves.picture import draw

        return draw(self, samples, **options)

    def save(self, path: Any) -> None:
        """Write the field to `path` as safetensors."""
        from dredge.waves.files import save

        save(self, path)
