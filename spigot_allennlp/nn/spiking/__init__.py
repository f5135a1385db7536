"""Networks of spiking neurons, and gradients through their spikes."""
