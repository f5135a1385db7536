"""Distorts images in training: scales, turns and bends them."""

import math
from typing import Tuple

import torch
from allennlp.common import FromParams
from allennlp.common.checks import ConfigurationError
from torch import Tensor

from spigot_allennlp.config_checks import check_counts, check_interval, check_least, check_positive
from spigot_allennlp.modules.spike_encoding import intensities


class ImageDistortion(torch.nn.Module, FromParams):
    """
    Scales, rotates and bends each image at random, anew in each epoch; in evaluation images stay as
    they are. The bending is the elastic distortion of Simard, Steinkraus & Platt (2003): each pixel
    moves by a random displacement, which is smooth over the image.

    Jin, Zhang & Li (2018) augment MNIST for their convolutional network so. In their code an image
    only ever grows, and grows and turns by one random number; here all are independent, and it
    shrinks as often.

    # Parameters

    shape : `Tuple[int, int]`, optional (default = `(28, 28)`)
        Rows and columns of an image, whose pixels come row by row.
    scale : `float`, optional (default = `0.12`)
        The largest relative change of the height and of the width, from 0 to below 1.
    rotation : `float`, optional (default = `12.0`)
        The largest angle, in degrees, in both directions.
    elasticity : `float`, optional (default = `13.6`)
        The displacements of the pixels before smoothing are up to this number of pixels in each
        direction; 0 bends nothing. Afterwards they are small: at the defaults they have a standard
        deviation of 0.55 pixels. (The code of Jin et al. has 3.4, for a smoothing whose weights
        sum to `smoothness`, 4.)
    smoothness : `float`, optional (default = `4.0`)
        The standard deviation, in pixels, of the Gaussian that smooths the displacements.
    """

    def __init__(
        self,
        shape: Tuple[int, int] = (28, 28),
        scale: float = 0.12,
        rotation: float = 12.0,
        elasticity: float = 13.6,
        smoothness: float = 4.0,
    ) -> None:
        super().__init__()
        self._rows, self._columns = shape
        check_counts(rows=self._rows, columns=self._columns)
        check_interval("[0, 1)", scale=scale)
        check_least(0, rotation=rotation, elasticity=elasticity)
        check_positive(smoothness=smoothness)
        self._scale = scale
        self._rotation = math.radians(rotation)
        self._elasticity = elasticity
        self._smoothness = smoothness

    def forward(self, images: Tensor) -> Tensor:
        """
        Returns the distorted images, floats from 0 to 1, of the same shape. What comes from outside
        an image is 0.

        # Parameters

        images : `Tensor`
            Shape `(batch_size, rows * columns)`: bytes, or floats from 0 to 1.

        # Raises

        `ConfigurationError` if they have another number of pixels.
        """
        if not self.training:
            return images
        size = self._rows * self._columns
        if images.dim() != 2 or images.size(1) != size:
            raise ConfigurationError(
                f"Images of shape {list(images.shape[1:])} are to be distorted, but the distortion "
                f"is for {self._rows} rows of {self._columns} pixels, {size} one after another. "
                'Give its "shape" the rows and columns of the images.'
            )
        # `grid_sample` wants columns before rows, and the corners at -1 and 1.
        last = images.new_tensor([self._columns - 1, self._rows - 1], dtype=torch.float).clamp(
            min=1
        )
        grid = 2 * self.sample_positions(len(images), images.device).flip(3) / last - 1
        pixels = intensities(images).view(-1, 1, self._rows, self._columns)
        return torch.nn.functional.grid_sample(pixels, grid, align_corners=True).flatten(1)

    def sample_positions(self, batch_size: int, device: torch.device) -> Tensor:
        """
        Returns from where in its image each pixel comes, in a random distortion: row and column,
        which begin with 0 and need not be whole, shape `(batch_size, rows, columns, 2)`.
        """

        def uniform(*shape: int) -> Tensor:
            return 2 * torch.rand(batch_size, *shape, device=device) - 1

        rows, columns = (torch.arange(n, device=device) for n in (self._rows, self._columns))
        centre = torch.tensor([self._rows - 1, self._columns - 1], device=device) / 2
        offsets = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), dim=2) - centre
        angle = self._rotation * uniform()
        cosine, sine = angle.cos(), angle.sin()
        rotated = torch.stack([cosine, -sine, sine, cosine], dim=1).view(-1, 2, 2)
        scaled = rotated * (1 + self._scale * uniform(2)).unsqueeze(1)
        positions = torch.einsum("rcj,bij->brci", offsets, scaled) + centre
        if self._elasticity:
            noise = self._elasticity * uniform(2, self._rows, self._columns)
            positions = positions + self._smooth(noise).permute(0, 2, 3, 1)
        return positions

    def _smooth(self, fields: Tensor) -> Tensor:
        """Averages fields, `(batch_size, 2, rows, columns)`, by a Gaussian; outside they are 0."""
        reach = math.ceil(2.5 * self._smoothness)
        distances = torch.arange(-reach, reach + 1, device=fields.device) / self._smoothness
        weights = (-(distances**2) / 2).exp()
        weights = weights / weights.sum()
        flat = fields.reshape(-1, 1, self._rows, self._columns)
        flat = torch.nn.functional.conv2d(flat, weights.view(1, 1, -1, 1), padding=(reach, 0))
        flat = torch.nn.functional.conv2d(flat, weights.view(1, 1, 1, -1), padding=(0, reach))
        return flat.view_as(fields)
