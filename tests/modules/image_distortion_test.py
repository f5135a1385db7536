import math

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError
from scipy.ndimage import gaussian_filter, map_coordinates

from spigot_allennlp.modules.image_distortion import ImageDistortion

SHAPE = (9, 12)
STILL = {"scale": 0.0, "rotation": 0.0, "elasticity": 0.0}


def images(number=5, shape=SHAPE):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(number, shape[0] * shape[1], generator=generator)


def test_pixels_come_from_their_positions_as_scipy_interpolates():
    distortion = ImageDistortion(SHAPE, scale=0.3, rotation=40, elasticity=20, smoothness=2)
    torch.manual_seed(1)
    distorted = distortion(images()).view(-1, *SHAPE)
    torch.manual_seed(1)
    positions = distortion.sample_positions(5, torch.device("cpu"))
    for number, image in enumerate(images().view(-1, *SHAPE)):
        # zeros around the image, between which and its edge both interpolate
        padded = numpy.pad(image.numpy(), 30)
        places = positions[number].permute(2, 0, 1).numpy() + 30
        expected = map_coordinates(padded, places, order=1)
        torch.testing.assert_close(distorted[number], torch.from_numpy(expected))


def test_in_evaluation_and_without_any_distortion_images_stay_as_they_are():
    torch.testing.assert_close(ImageDistortion(SHAPE).eval()(images()), images(), rtol=0, atol=0)
    torch.testing.assert_close(ImageDistortion(SHAPE, **STILL)(images()), images())


def test_bytes_become_their_intensities():
    bright = torch.full((2, 108), 255, dtype=torch.uint8)
    torch.testing.assert_close(ImageDistortion(SHAPE, **STILL)(bright), torch.ones(2, 108))


def test_an_image_turns_about_its_centre_by_up_to_the_angle():
    distortion = ImageDistortion((11, 11), **{**STILL, "rotation": 30})
    torch.manual_seed(2)
    positions = distortion.sample_positions(500, torch.device("cpu")) - 5
    assert positions[:, 5, 5].abs().max() < 1e-5
    torch.testing.assert_close(positions.norm(dim=3)[0], positions.norm(dim=3)[1])
    row, column = positions[:, 5, 10].unbind(1)
    angles = torch.rad2deg(torch.atan2(row, column))
    assert -30 <= angles.min() < -29 and 29 < angles.max() <= 30
    assert abs(angles.mean()) < 2.5  # three standard errors


def test_height_and_width_change_each_by_up_to_the_scale():
    distortion = ImageDistortion((11, 11), **{**STILL, "scale": 0.2})
    torch.manual_seed(3)
    positions = distortion.sample_positions(500, torch.device("cpu"))
    heights, widths = (positions[:, 10, 10] - positions[:, 0, 0]).unbind(1)
    for lengths in (heights, widths):
        assert 8 <= lengths.min() < 8.1 and 11.9 < lengths.max() <= 12.001
    assert abs(torch.corrcoef(torch.stack([heights, widths]))[0, 1]) < 0.15


def test_displacements_are_noise_that_a_gaussian_has_smoothed():
    torch.manual_seed(4)
    distortion = ImageDistortion((41, 41), **{**STILL, "elasticity": 10.0}, smoothness=3.0)
    positions = distortion.sample_positions(50, torch.device("cpu"))
    torch.manual_seed(4)
    torch.rand(50), torch.rand(50, 2)  # the angle and the scales
    noise = 10 * (2 * torch.rand(50, 2, 41, 41) - 1)
    still = torch.stack(torch.meshgrid(torch.arange(41), torch.arange(41), indexing="ij"), dim=2)
    moved = (positions - still).permute(0, 3, 1, 2)
    expected = gaussian_filter(noise.numpy(), 3.0, axes=(2, 3), mode="constant", radius=8)
    torch.testing.assert_close(moved, torch.from_numpy(expected), rtol=1e-4, atol=1e-4)


def test_the_default_moves_pixels_by_as_much_as_is_documented():
    torch.manual_seed(5)
    bent = ImageDistortion((61, 61), scale=0.0, rotation=0.0)
    positions = bent.sample_positions(200, torch.device("cpu"))
    still = torch.stack(torch.meshgrid(torch.arange(61), torch.arange(61), indexing="ij"), dim=2)
    inside = (positions - still)[:, 12:-12, 12:-12]
    assert math.isclose(inside.std().item(), 0.55, abs_tol=0.03)


def test_images_of_another_size_are_refused():
    with pytest.raises(ConfigurationError, match="rows and columns of the images"):
        ImageDistortion(SHAPE)(images(shape=(5, 5)))


@pytest.mark.parametrize(
    "settings",
    [{"scale": 1.0}, {"rotation": -1}, {"elasticity": -0.1}, {"smoothness": 0}, {"shape": (0, 3)}],
)
def test_settings_that_make_no_distortion_are_refused(settings):
    with pytest.raises(ConfigurationError):
        ImageDistortion(**settings)
