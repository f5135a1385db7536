"""
Patches for `allennlp predict`.
"""

import functools
import inspect
import logging
import os
import sys
from typing import Any, Iterator

from spigot_allennlp.compat.atomic_io import is_written_at_once
from spigot_allennlp.compat.outputs import check_output
from spigot_allennlp.compat.patching import patch

logger = logging.getLogger(__name__)

BYTE_ORDER_MARK = "\ufeff"


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: each instance of a dataset reader is made a text, to be shown, "
    "though nothing is shown under --silent",
    until="AllenNLP makes a text of what it shows alone",
)
def only_what_is_shown_is_made_a_text(module: Any) -> Iterator[None]:
    """Must be the first of these patches, since the others wrap `run`."""
    yield
    manager = module._PredictManager
    run = manager.run

    def run_in_silence(self: Any) -> None:
        if self._print_to_console or self._dataset_reader is None:
            run(self)
            return
        for batch in module.lazy_groups_of(self._get_instance_data(), self._batch_size):
            for prediction in self._predict_instances(batch):
                self._maybe_print_to_console_and_file(0, prediction)

    manager.run = run_in_silence


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: a byte that is not UTF-8 ends the predictions of a whole file, "
    "without its line, and the output is in the encoding of the locale",
    until="AllenNLP decodes the input line by line",
)
def lines_are_decoded_one_by_one(module: Any) -> Iterator[None]:
    """
    Only a line feed ends a line. A predictor that can handle bytes that are not UTF-8 has an
    attribute `decoding_errors`, with the meaning of `errors` in `bytes.decode`. For other
    predictors, the input must be UTF-8.
    """
    yield
    manager = module._PredictManager
    start, run = manager.__init__, manager.run

    @functools.wraps(start)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        if self._output_file is not None:
            self._output_file.reconfigure(encoding="utf-8")

    def _get_json_data(self: Any) -> Iterator[Any]:
        errors = getattr(self._predictor, "decoding_errors", "strict")
        if self._input_file == "-":
            stream = getattr(sys.stdin, "buffer", sys.stdin)
        else:
            stream = module.open_compressed(
                module.cached_path(self._input_file), mode="rb", encoding=None
            )
        for number, line in enumerate(stream, start=1):
            if isinstance(line, bytes):
                try:
                    line = line.decode("utf-8", errors)
                except UnicodeDecodeError as error:
                    message = f"{self._input_file}:{number}: the line is not UTF-8: {error}"
                    raise module.ConfigurationError(message) from error
            if number == 1 and line.startswith(BYTE_ORDER_MARK):
                line = line[1:]
            if line.strip():
                yield self._predictor.load_line(line)

    def run_and_close(self: Any) -> None:
        try:
            run(self)
        finally:
            if self._output_file is not None:
                self._output_file.close()

    manager.__init__, manager.run = __init__, run_and_close
    manager._get_json_data = _get_json_data


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: the lines of a batch go through the model as they come, short "
    "and long together, one at a time unless --batch-size says more",
    until="AllenNLP lets a predictor make batches of what it has read",
)
def a_predictor_makes_batches_of_a_window(module: Any) -> Iterator[None]:
    """
    The attribute `window` of a predictor is the number of lines of a file that it wants at once.
    From a terminal or a pipe, it gets as many as --batch-size says, since somebody may be waiting.
    """
    yield
    manager = module._PredictManager
    start = manager.__init__

    @functools.wraps(start)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        window = getattr(self._predictor, "window", None)
        if window is not None and self._input_file != "-":
            self._batch_size = max(self._batch_size, window)

    manager.__init__ = __init__


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: predictions that ended in the middle, by an error or by a kill, "
    "have the name of those that did not, and what reads them takes them for all",
    until="AllenNLP writes predictions under another name, and renames the file when it is whole",
)
def predictions_have_their_name_when_all_are_there(module: Any) -> Iterator[None]:
    """
    Until then they are in `OUTPUT.partial`, which grows batch by batch, and stays if the command
    does not finish. A pipe or a device is written to directly. The folder of `OUTPUT` is created if
    needed.
    """
    yield
    manager = module._PredictManager
    start, run = manager.__init__, manager.run
    signature = inspect.signature(start)

    @functools.wraps(start)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        call = signature.bind(self, *arguments, **options)
        output = call.arguments.get("output_file")
        self._whole_output = None
        if output:
            check_output(output, "--output-file")
        if output and not is_written_at_once(output):
            self._whole_output = os.path.realpath(output)
            os.makedirs(os.path.dirname(self._whole_output), exist_ok=True)
            call.arguments["output_file"] = f"{self._whole_output}.partial"
        start(*call.args, **call.kwargs)

    def run_and_rename(self: Any) -> None:
        if self._whole_output is None:
            run(self)
            return
        partial = f"{self._whole_output}.partial"
        try:
            run(self)
        except BaseException:
            logger.error("The predictions up to here are in %s.", partial)
            raise
        os.replace(partial, self._whole_output)

    manager.__init__, manager.run = __init__, run_and_rename


@patch(
    "allennlp.commands.predict",
    since="AllenNLP 2.10.1 itself: a predictor does not learn that there is no more input, so that "
    "what it says of all inputs it would have to say after each batch",
    until="AllenNLP tells a predictor that there is no more input",
)
def a_predictor_learns_that_there_is_no_more_input(module: Any) -> Iterator[None]:
    """A predictor that needs to know defines a method `finish`."""
    yield
    manager = module._PredictManager
    run = manager.run

    def run_and_finish(self: Any) -> None:
        run(self)
        finish = getattr(self._predictor, "finish", None)
        if finish is not None:
            finish()

    manager.run = run_and_finish
