import json
from pathlib import Path

import numpy
import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Vocabulary
from allennlp.models import Model
from PIL import Image

from spigot_allennlp.predictors import spike_plots
from spigot_allennlp.predictors.spiking import SpikingPredictor

CONFIG = Path(__file__).parents[2] / "fixtures" / "experiments" / "spiking_classifier.jsonnet"


@pytest.fixture(scope="module")
def parts():
    params = Params.from_file(str(CONFIG), {"model.encoding.seed": None})
    reader = DatasetReader.from_params(params["dataset_reader"])
    vocab = Vocabulary()
    for digit in range(10):
        vocab.add_token_to_namespace(str(digit), "labels")
    instances = list(reader.read("synthetic:size=5,seed=3"))
    return Model.from_params(params["model"], vocab=vocab), reader, instances


def test_rasters_and_histograms_are_pictures(parts, tmp_path):
    model, reader, instances = parts
    predictor = SpikingPredictor(model, reader, pictures=str(tmp_path / "new"), num_rasters=3)
    predictor.predict_batch_instance(instances[:2])
    predictor.predict_batch_instance(instances[2:])
    predictor.finish()
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == ["firing_rates.png", "raster-1.png", "raster-2.png", "raster-3.png"]
    for name in names:
        picture = numpy.asarray(Image.open(tmp_path / "new" / name).convert("L"))
        assert picture.min() < 100 and picture.max() == 255


def load(predictor, *lines):
    return [predictor.load_line(json.dumps(line)) for line in lines]


def test_a_raster_has_the_number_of_its_line_also_after_one_that_is_none(
    parts, tmp_path, monkeypatch
):
    titles = []
    raster = spike_plots.raster
    monkeypatch.setattr(
        spike_plots, "raster", lambda *arguments: titles.append(arguments[3]) or raster(*arguments)
    )
    model, reader, instances = parts
    options = {"pictures": str(tmp_path), "num_rasters": 3, "on_error": "report"}
    predictor = SpikingPredictor(model, reader, **options)
    good, bad = {"image": image_of(instances[0])}, {"image": "nonsense"}
    for batch in ([bad, good], [good, good]):
        predictor.predict_batch_json(load(predictor, *batch))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raster-2.png", "raster-3.png"]
    assert [title.partition(":")[0] for title in titles] == ["sample 2", "sample 3"]


def test_the_histograms_are_drawn_once_of_each_sample_once(parts, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        spike_plots, "firing_rates", lambda counts, *_: drawn.append([len(c) for c in counts])
    )
    model, reader, instances = parts
    options = {"pictures": str(tmp_path), "num_rasters": 0, "on_error": "report"}
    predictor = SpikingPredictor(model, reader, **options)
    good, small = {"image": image_of(instances[0])}, {"image": [[1, 2]]}
    for batch in ([good, small, good], [good]):  # of the small one nothing can be predicted
        predictor.predict_batch_json(load(predictor, *batch))
    assert not drawn
    predictor.finish()
    assert drawn == [[3, 3, 3]]


@pytest.mark.parametrize("broken", ["raster", "firing_rates"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ValueError("no data")])
def test_a_picture_that_fails_leaves_the_outputs_and_ends_the_pictures(
    seeded, tmp_path, monkeypatch, caplog, broken, error
):
    def fail(*arguments):
        raise error

    model, reader, instances = seeded
    expected = SpikingPredictor(model, reader).predict_batch_instance(instances)
    monkeypatch.setattr(spike_plots, broken, fail)
    predictor = SpikingPredictor(model, reader, pictures=str(tmp_path), on_error="report")
    outputs = predictor.predict_batch_instance(instances[:2])
    outputs += predictor.predict_batch_instance(instances[2:])
    predictor.finish()
    assert outputs == expected
    (record,) = caplog.records
    assert f"there are no pictures in {tmp_path}" in record.getMessage()
    assert str(error) in record.getMessage()


def test_a_folder_that_cannot_be_made_is_refused_at_once(parts, tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(ConfigurationError, match=f"pictures: the folder {folder} cannot be"):
            SpikingPredictor(*parts[:2], pictures=str(folder))


def test_the_classes_of_a_raster_are_in_the_order_of_their_names(monkeypatch, tmp_path):
    figures = []
    monkeypatch.setattr(spike_plots, "write_figure", lambda figure, path: figures.append(figure))
    hidden, output = numpy.eye(3), numpy.zeros((3, 5))
    output[1, 0] = output[2, 1] = output[0, 4] = 1  # class "10" in step 1, class "2" in step 2
    classes = ["10", "2", "6", "1"]
    spike_plots.raster([hidden, output], ["hidden", "output"], classes, "title", tmp_path / "p.png")
    above, below = figures[0].axes
    assert [label.get_text() for label in below.get_yticklabels()] == ["1", "2", "6", "10"]
    dots = {tuple(dot) for dot in below.collections[0].get_offsets().astype(int).tolist()}
    assert dots == {(1, 3), (2, 1), (0, 4)}  # the neuron without a class stays the last
    assert above.collections[0].get_offsets().tolist() == [[0, 0], [1, 1], [2, 2]]


def test_names_are_ordered_as_people_do_it():
    names = ["digit 10", "b", "2", "digit 2", "", "10"]
    assert [names[place] for place in spike_plots.natural_order(names)] == [
        *("", "2", "10", "b", "digit 2", "digit 10")
    ]


def test_without_a_folder_there_are_no_pictures(parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SpikingPredictor(*parts[:2]).predict_batch_instance(parts[2])
    assert not list(tmp_path.iterdir())


def test_the_output_has_label_counts_and_means(parts):
    output = SpikingPredictor(*parts[:2]).predict_instance(parts[2][0])
    assert set(output) == {"label", "counts", "mean_counts"}
    assert output["mean_counts"][-1] * 10 == pytest.approx(sum(output["counts"].values()))
    json.dumps(output)


def test_details_are_spikes_and_potentials(parts):
    output = SpikingPredictor(*parts[:2], details=True).predict_instance(parts[2][0])
    assert [len(spikes) for spikes in output["spikes"][1:]] == [
        round(output["mean_counts"][1] * 30),
        round(output["mean_counts"][2] * 10),
    ]
    assert numpy.shape(output["potentials"]) == (30, 10)
    json.dumps(output)


@pytest.fixture(scope="module")
def seeded():
    """As the configs have it: with a seed in the encoding."""
    params = Params.from_file(str(CONFIG))
    assert params["model"]["encoding"]["seed"] is not None
    reader = DatasetReader.from_params(params["dataset_reader"])
    vocab = Vocabulary()
    for digit in range(10):
        vocab.add_token_to_namespace(str(digit), "labels")
    instances = list(reader.read("synthetic:size=4,seed=3"))
    return Model.from_params(params["model"], vocab=vocab), reader, instances


def image_of(instance):
    return instance["inputs"].array.reshape(28, 28).tolist()


def test_an_image_in_a_line_is_the_sample_of_that_number(seeded):
    lines = [{"image": image_of(instance)} for instance in seeded[2]]
    expected = SpikingPredictor(*seeded[:2]).predict_batch_instance(seeded[2])
    predictor = SpikingPredictor(*seeded[:2])
    assert predictor.predict_batch_json(lines[:3]) == expected[:3]
    assert predictor.predict_json(lines[3]) == expected[3]
    assert predictor.predict_json({**lines[1], "sample": 1}) == expected[1]


@pytest.mark.parametrize(
    "line, message",
    [
        ({"image": [[0.0, 0.5], [1.0, 0.2]]}, "is 0.5.*Multiply intensities from 0 to 1 by 255"),
        ({"image": [[0, 1], [2]]}, "unequal length"),
        ({"image": [[0, None]]}, "no numbers"),
        ({"image": [[0, 256]]}, "is 256"),
        ({"image": [[0, float("nan")]]}, "is nan"),
        ({"image": "a" * 10**6}, "no pixels|no numbers"),
        ({"image": [[1, 2]]}, "784 inputs .* was given 2"),
        ({"image": [[0] * 28] * 28, "sample": -1}, "\"sample\" is '-1'"),
        ({"image": [[0] * 28] * 28, "sample": True}, "\"sample\" is 'True'"),
        ({"image": [[0] * 28] * 28, "smaple": 77}, r"unknown keys \['smaple'\]; .*'sample'"),
    ],
)
def test_what_is_no_image_of_bytes_is_an_error_with_the_way_out(line, message, seeded):
    with pytest.raises(ConfigurationError, match=message) as caught:
        SpikingPredictor(*seeded[:2]).predict_json(line)
    assert len(str(caught.value)) < 500


def test_an_image_of_another_size_is_an_error_also_among_others(seeded):
    image = image_of(seeded[2][0])
    predictor = SpikingPredictor(*seeded[:2], on_error="report")
    outputs = predictor.predict_batch_json(
        [{"image": image}, {"image": [[1, 2]]}, {"image": image}]
    )
    assert ["error" in output for output in outputs] == [False, True, False]
    assert "784 inputs" in outputs[1]["error"]


def test_a_reader_of_no_images_is_named(seeded):
    predictor = SpikingPredictor(seeded[0], DatasetReader.by_name("n_mnist")())
    with pytest.raises(ConfigurationError, match="NMnistReader, reads no images.*--use-dataset"):
        predictor.predict_json({"image": [[0]]})


def test_an_image_can_be_given_as_json(parts):
    predictor = SpikingPredictor(*parts[:2])
    image = parts[2][0]["inputs"].array.reshape(28, 28).tolist()
    assert predictor.predict_json({"image": image})["label"] in set("0123456789")
    with pytest.raises(ConfigurationError, match=r"no \"image\" but \['picture'\]"):
        predictor.predict_json({"picture": image})
