"""A number for a whole sequence, told from its last step."""

from typing import Any, Dict, Optional

import torch
from allennlp.data import TextFieldTensors, Vocabulary
from allennlp.models import Model
from allennlp.modules import Seq2SeqEncoder
from allennlp.nn import InitializerApplicator
from torch import BoolTensor, Tensor

from spigot_allennlp.models.sequence_model import SequenceModel, last_step


@Model.register("sequence_regressor")
class SequenceRegressor(SequenceModel):
    """
    Gives a sequence a number, at its last step. `get_metrics` gives the `mean_squared_error`, which
    is also the loss.

    Registered as a `Model` with name "sequence_regressor". See `SequenceModel` for the parameters.
    """

    def __init__(
        self,
        vocab: Vocabulary,
        encoder: Seq2SeqEncoder,
        initializer: InitializerApplicator = InitializerApplicator(),  # noqa: B008 (AllenNLP's idiom)
        **kwargs: Any,
    ) -> None:
        super().__init__(vocab, encoder, **kwargs)
        self.output = torch.nn.Linear(encoder.get_output_dim(), 1)
        initializer(self)

    def forward(  # type: ignore[override]
        self,
        tokens: Optional[TextFieldTensors] = None,
        value: Optional[Tensor] = None,
        inputs: Optional[Tensor] = None,
        mask: Optional[BoolTensor] = None,
    ) -> Dict[str, Any]:
        """
        # Parameters

        tokens, inputs, mask
            See `SequenceModel.encode`.
        value : `Tensor`, optional
            Shape `(batch_size,)`.
        """
        found = self.output(last_step(*self.encode(tokens, inputs, mask))).squeeze(-1)
        output: Dict[str, Any] = {"value": found}
        if value is not None:
            errors = (found - value) ** 2
            output["loss"] = errors.mean()
            self.observe(mean_squared_error=errors)
        return output
