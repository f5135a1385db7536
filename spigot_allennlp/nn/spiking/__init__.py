"""
Networks of spiking neurons, and gradients through their spikes.

The files, in the order to read them:

1. `neurons.py`: the model of a neuron, and its constants; `connection.py`: which input reaches
   which neuron with which weight.
2. The public functions: `simulation.py` (a layer's spikes), `psp.py` (their postsynaptic
   potentials), `hm2_bp.py` (a layer with the gradient of HM2-BP), `rate_coding.py` (numbers as
   spikes). Each chooses between the next two.
3. `cpu.py`: tensors to and from `kernels.py`, the simulation, and `hm2_bp_kernels.py`, PSPs and
   gradients, with `traces.py` for S-PSPs that are summed over a neuron's own spikes;
   `gradient_problem.py` holds the inputs of the gradients.
4. `torch_fallback.py`: all of this step by step in vectorised torch, for other devices.
"""
