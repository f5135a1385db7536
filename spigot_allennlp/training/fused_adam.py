"""Adam in one pass over the parameters."""

from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from allennlp.training.optimizers import Optimizer, make_parameter_groups
from torch.nn import Parameter

from spigot_allennlp.config_checks import check_interval

# Where PyTorch has a fused update.
DEVICES = ("cpu", "cuda", "xpu", "mps")


@Optimizer.register("fused_adam")
class FusedAdam(Optimizer, torch.optim.Adam):
    """
    AllenNLP's "adam" with PyTorch's fused update: the same steps up to rounding, in a third of the
    time on a CPU. Either can continue from checkpoints of the other, but "adam" has no `shrinkage`.
    If the fused update does not support a parameter (not floating point, or on another device),
    parameters are updated one after another. Both refuse sparse gradients.

    Registered as an `Optimizer` with name "fused_adam".

    # Parameters

    model_parameters : `List[Tuple[str, Parameter]]`
        Named parameters; passed by the trainer.
    parameter_groups : `List[Tuple[List[str], Dict[str, Any]]]`, optional (default = `None`)
        As for AllenNLP's optimizers: regular expressions for names, and their options.
    lr : `float`, optional (default = `0.001`)
    betas : `Tuple[float, float]`, optional (default = `(0.9, 0.999)`)
    eps : `float`, optional (default = `1e-8`)
    weight_decay : `float`, optional (default = `0.0`)
    amsgrad : `bool`, optional (default = `False`)
    decoupled_weight_decay : `bool`, optional (default = `False`)
        Whether a step shrinks the parameters by `lr * weight_decay` of themselves, as AllenNLP's
        "adamw" does, rather than adding `weight_decay` of them to the gradient.
    shrinkage : `float`, optional (default = `0.0`)
        The fraction by which each step first shrinks the parameters, whatever the learning rate:
        the weight decay of DyNet, 1e-6 in the code of Peng et al. (2018). A parameter group may
        have its own. A step that mixed precision skips does not shrink them.
    """

    def __init__(
        self,
        model_parameters: List[Tuple[str, Parameter]],
        parameter_groups: Optional[List[Tuple[List[str], Dict[str, Any]]]] = None,
        lr: float = 0.001,
        betas: Tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        decoupled_weight_decay: bool = False,
        shrinkage: float = 0.0,
    ) -> None:
        check_interval("[0, 1)", shrinkage=shrinkage)
        fused = all(
            parameter.is_floating_point() and parameter.device.type in DEVICES
            for _, parameter in model_parameters
        )
        super().__init__(
            params=make_parameter_groups(model_parameters, parameter_groups),
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        # The existing groups get it here, groups that are added later in `add_param_group`.
        self.defaults["shrinkage"] = shrinkage
        for group in self.param_groups:
            _set_shrinkage(group, shrinkage)

    def add_param_group(self, param_group: Dict[str, Any]) -> None:
        # The constructor adds groups, too, before there is a default.
        if "shrinkage" in self.defaults:
            _set_shrinkage(param_group, self.defaults["shrinkage"])
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(self, closure: Optional[Callable[[], float]] = None) -> Optional[float]:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        # Mixed precision calls a fused update even if gradients overflowed, and the update then
        # takes no step. This number of overflows is on the device, and is not waited for.
        overflows: Optional[torch.Tensor] = getattr(self, "found_inf", None)
        for group in self.param_groups:
            if group["shrinkage"]:
                updated = [part for part in group["params"] if part.grad is not None]
                factor: Any = 1 - group["shrinkage"]
                if overflows is not None:
                    factor = torch.where(overflows > 0, 1.0, factor)
                if updated:
                    torch._foreach_mul_(updated, factor)
        super().step()
        return loss

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Continues from the state of any Adam, except for its options `fused` and `shrinkage`."""
        groups = state_dict["param_groups"]
        if len(groups) == len(self.param_groups):  # otherwise PyTorch raises an error
            # PyTorch places the state where the update needs it according to these options.
            groups = [
                {**group, "foreach": None, "fused": own["fused"], "shrinkage": own["shrinkage"]}
                for group, own in zip(groups, self.param_groups, strict=True)
            ]
        super().load_state_dict({**state_dict, "param_groups": groups})


def _set_shrinkage(group: Dict[str, Any], default: float) -> None:
    group.setdefault("shrinkage", default)
    check_interval("[0, 1)", shrinkage=group["shrinkage"])
